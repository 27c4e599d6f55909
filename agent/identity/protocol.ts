/** What an agent and the authority say to each other: JSON over HTTPS, POST only. */

export const SIGN_PATH = "/v1/sign";
export const WATCH_PATH = "/v1/watch";

/** The name in the authority's own certificate, whatever address it is reached at. */
export const AUTHORITY_NAME = "authority.ambit.internal";

/** Header that says which node asks; its join token is the bearer of `authorization`. */
export const NODE_HEADER = "x-ambit-node";

export interface SignRequest {
  readonly spiffeId: string;
  readonly csr: string;
}

/** What a node has to know about whom to trust, and about its own certificates. */
export interface Trust {
  /** Certificates in PEM by which peers are verified. */
  readonly roots: string;
  /** Certificates of another generation are to be replaced. */
  readonly generation: string;
}

export interface SignAnswer {
  readonly chain: string;
  readonly generation: string;
  readonly trust: Trust;
}

/** What a node reports of itself; the answer comes when it has something new for it, or after a while. */
export interface NodeReport {
  /** What it knows; undefined: nothing yet. */
  readonly trust: Trust | undefined;
  /** Generations of the certificates that it uses. */
  readonly generations: readonly string[];
  /** It could not ask for a while, and wants to know that somebody is here: the answer is not held. */
  readonly atOnce?: boolean;
}

/** A refusal, as an AmbitError travels. */
export interface Refusal {
  readonly code: string;
  readonly kind: "user" | "system";
  readonly what: string;
  readonly why?: string | undefined;
  readonly remedy?: string | undefined;
}
