import type { JwksSource } from "../model/request-authentication.ts";
import type { VerificationKey } from "../model/verification-key.ts";
import { readKeySet } from "../objects/tokens/json-web-keys.ts";
import { failure } from "./failure.ts";
import { fetchText } from "./fetch-text.ts";
import type { Resolve } from "./resolve.ts";

/** Keys that are fetched, in distinction to those that an object holds itself. */
export type RemoteKeys = Exclude<JwksSource, { readonly kind: "inline" }>;

/** The keys of a key set, or of the one that an OpenID provider's metadata name. Throws AmbitError. */
export async function fetchKeys(source: RemoteKeys, resolve: Resolve): Promise<readonly VerificationKey[]> {
  const { kind, url, timeoutMs } = source;
  const text = await fetchText(url, timeoutMs, resolve);
  const set = readKeySet(kind === "uri" ? text : await fetchText(keySetUrl(text), timeoutMs, resolve));
  if (typeof set === "string") throw failure(`the answer is no JSON Web Key Set: ${set}`);
  if (set.keys.length > 0) return set.keys;
  throw failure(["no key of the set can be used", ...set.skipped.slice(0, 3)].join("; "));
}

/** OpenID Connect Discovery 1.0 section 3: `jwks_uri`. */
function keySetUrl(metadata: string): string {
  let value: unknown;
  try {
    value = JSON.parse(metadata);
  } catch {
    throw failure("the issuer's metadata are no JSON");
  }
  const url: unknown = typeof value === "object" && value !== null && "jwks_uri" in value ? value.jwks_uri : undefined;
  if (typeof url === "string" && /^https?:\/\//iu.test(url) && URL.canParse(url)) return url;
  throw failure("the issuer's metadata name no jwks_uri");
}
