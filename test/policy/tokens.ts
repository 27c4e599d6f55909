import { Issuer, ISSUER_URL, keySet } from "../jwt/issuer.ts";

const issuer = new Issuer();

/** Lets the pod `web` verify the tokens of the cases. */
export const AUTHENTICATION = `{ apiVersion: security.istio.io/v1, kind: RequestAuthentication, metadata: { name: issuer, namespace: shop }, spec: { selector: { matchLabels: { app: web } }, jwtRules: [{ issuer: "${ISSUER_URL}", jwks: '${keySet(issuer)}' }] } }\n---\n`;

/** The header of a request that carries a token of these claims; none without claims. */
export function bearer(
  claims: Readonly<Record<string, unknown>> | undefined,
): readonly (readonly [name: string, value: string])[] {
  if (claims === undefined) return [];
  const token = issuer.token({ ...claims, exp: Math.floor(Date.now() / 1000) + 3600 });
  return [["authorization", `Bearer ${token}`]];
}
