/** What a token may be signed with (RFC 7518) that Envoy can verify: PKCS #1 v1.5, and ECDSA on a curve of the hash's size. */
export const TOKEN_ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"] as const;

export type TokenAlgorithm = (typeof TOKEN_ALGORITHMS)[number];

/** A public key of an issuer. */
export interface VerificationKey {
  /** "" for a key without a name. */
  readonly kid: string;
  /** What it verifies, and nothing else: a key's kind is the key's own business, not the token's. */
  readonly algorithms: readonly TokenAlgorithm[];
  /** SubjectPublicKeyInfo in DER, as base64url. */
  readonly spki: string;
}

/** What an agent has of a key set that it fetches. */
export interface FetchedKeys {
  /** The last good ones; none until the first answer. */
  readonly keys: readonly VerificationKey[];
  /** Why the last attempt gave none. */
  readonly failure: string | undefined;
}
