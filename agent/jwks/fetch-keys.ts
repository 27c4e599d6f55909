import type { JwksSource } from "../model/request-authentication.ts";
import type { VerificationKey } from "../model/verification-key.ts";
import { readKeySet } from "../objects/tokens/json-web-keys.ts";
import { failure } from "./failure.ts";
import { fetchText } from "./fetch-text.ts";
import type { Resolve } from "./resolve.ts";

/** Keys that the agent fetches; inline keys are part of the object itself. */
export type RemoteKeys = Exclude<JwksSource, { readonly kind: "inline" }>;

/** Fetches the keys of a key set, by its URL or by the metadata of an OpenID provider. Throws AmbitError. */
export async function fetchKeys(source: RemoteKeys, resolve: Resolve): Promise<readonly VerificationKey[]> {
  const { kind, url, timeoutMs } = source;
  const text = await fetchText(url, timeoutMs, resolve);
  const set = readKeySet(kind === "uri" ? text : await fetchText(keySetUrl(text), timeoutMs, resolve));
  if (typeof set === "string") throw failure(`the answer is not a JSON Web Key Set: ${set}`);
  if (set.keys.length > 0) return set.keys;
  throw failure(["no key of the set can be used", ...set.skipped.slice(0, 3)].join("; "));
}

/** OpenID Connect Discovery 1.0 section 3: `jwks_uri`. */
function keySetUrl(metadata: string): string {
  let value: unknown;
  try {
    value = JSON.parse(metadata);
  } catch {
    throw failure("the issuer's metadata is not JSON");
  }
  const url: unknown = typeof value === "object" && value !== null && "jwks_uri" in value ? value.jwks_uri : undefined;
  if (typeof url === "string" && /^https?:\/\//iu.test(url) && URL.canParse(url)) return url;
  throw failure("the issuer's metadata has no jwks_uri");
}
