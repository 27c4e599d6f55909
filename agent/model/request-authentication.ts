import type { PolicyTarget } from "./authorization-policy.ts";
import type { ObjectMeta } from "./meta.ts";
import type { VerificationKey } from "./verification-key.ts";

/** Where a rule's public keys come from: in the object itself, or fetched by each node's agent (`keySetName` tells from where). */
export type JwksSource =
  | { readonly kind: "inline"; readonly keys: readonly VerificationKey[] }
  | {
      /** "uri": the document is a key set. "discovery": OpenID Connect's, which names the key set. */
      readonly kind: "uri" | "discovery";
      readonly url: string;
      readonly timeoutMs: number;
    };

/** A header that carries a token, its name in lower case; `prefix` stands before the token. */
export interface JwtHeader {
  readonly name: string;
  readonly prefix: string;
}

/** A claim that the application gets as a header. `claim`: names of claims in claims are divided by dots. */
export interface ClaimToHeader {
  readonly header: string;
  readonly claim: string;
}

/** How the tokens of one issuer are verified. */
export interface JwtRule {
  readonly issuer: string;
  /** A token needs one of these audiences; empty: any audience. */
  readonly audiences: readonly string[];
  readonly keys: JwksSource;
  /**
   * Where the filter looks for tokens. If all three are empty: the Authorization header's Bearer, and the parameter
   * `access_token`.
   */
  readonly fromHeaders: readonly JwtHeader[];
  readonly fromParams: readonly string[];
  readonly fromCookies: readonly string[];
  /** Header that brings the token's payload to the application, as it is in the token; "": none. */
  readonly outputPayloadToHeader: string;
  readonly outputClaimToHeaders: readonly ClaimToHeader[];
  /** The application gets the token itself, too. */
  readonly forwardOriginalToken: boolean;
  /** Claims that are lists of words, beside `scope` and `permission`. */
  readonly spaceDelimitedClaims: readonly string[];
}

/**
 * security.istio.io/v1 RequestAuthentication. An object that the reader does not understand fails closed: see
 * `alwaysDeny`.
 */
export interface RequestAuthentication {
  readonly meta: ObjectMeta;
  /** It applies to a pod if one of them selects it. */
  readonly targets: readonly PolicyTarget[];
  readonly rules: readonly JwtRule[];
  /** Set if it asks for something that the reader does not understand: the pods that it selects refuse every call. */
  readonly alwaysDeny: boolean;
}
