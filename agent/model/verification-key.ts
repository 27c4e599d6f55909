/**
 * Signature algorithms of tokens (RFC 7518) that Envoy can verify: PKCS #1 v1.5, and ECDSA on a curve of the hash's
 * size.
 */
export const TOKEN_ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"] as const;

export type TokenAlgorithm = (typeof TOKEN_ALGORITHMS)[number];

/** A public key of an issuer. */
export interface VerificationKey {
  /** "" for a key without a name. */
  readonly kid: string;
  /** The only algorithms that it verifies: the key decides about them, never the token. */
  readonly algorithms: readonly TokenAlgorithm[];
  /** SubjectPublicKeyInfo in DER, as base64url. */
  readonly spki: string;
}

/** The state of a key set that an agent fetches. */
export interface FetchedKeys {
  /** The keys of the last good answer; none until the first answer. */
  readonly keys: readonly VerificationKey[];
  /** Why the last attempt failed. */
  readonly failure: string | undefined;
}
