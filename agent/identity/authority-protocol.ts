import type { AnnouncedSandbox, WaitedForNode } from "../model/exchange.ts";

// The messages between an agent and the authority: JSON over HTTPS, POST only.

/** A node asks for a certificate. */
export const SIGN_PATH = "/v1/sign";
/** A node asks for the roots to trust. The authority holds the question until its answer differs from what the node has. */
export const WATCH_PATH = "/v1/watch";
/** A node reports which of its sandboxes take mTLS, and what it follows. The authority answers at once. */
export const REPORT_PATH = "/v1/report";
/** A node asks for what other nodes have reported. The authority holds the question until it has news. */
export const EXCHANGE_PATH = "/v1/exchange";

/** The name in the certificate of the authority's server, whatever its address is. */
export const AUTHORITY_NAME = "authority.ambit.internal";

/** Header with the name of the node that asks; its join token is the bearer token in `authorization`. */
export const NODE_HEADER = "x-ambit-node";

/** What a node shows to the authority, and how it recognizes the authority. */
export interface NodeProof {
  readonly node: string;
  readonly token: string;
  /** Certificate in PEM of the authority's server: no other server gets to see the token. */
  readonly authority: string;
}

export interface SignRequest {
  readonly spiffeId: string;
  readonly csr: string;
}

/** The roots that a node has to trust, and the generation of its own certificates. */
export interface Trust {
  /** Roots in PEM by which peers are verified. */
  readonly roots: string;
  /** The generation of roots that signs: the node replaces certificates of another generation. */
  readonly generation: string;
}

export interface SignAnswer {
  readonly chain: string;
  readonly generation: string;
  readonly trust: Trust;
}

/** Body of a request to `WATCH_PATH`: what a node has. The answer is `Trust`. */
export interface NodeReport {
  /** What the node knows; undefined: nothing yet. */
  readonly trust: Trust | undefined;
  /** Generations of the certificates that the node uses. */
  readonly generations: readonly string[];
  /** The authority did not answer before: it answers this question without holding it. */
  readonly atOnce?: boolean;
}

/**
 * A state of the records that one authority process (`instance`) keeps of the nodes' sandboxes. A revision has no meaning
 * for another instance.
 */
export interface Position {
  readonly instance: string;
  readonly revision: number;
}

/** Exactly which sandboxes of a node take mTLS. */
export interface Announcement {
  /** Grows with each change, over restarts of the agent too. */
  readonly version: number;
  readonly sandboxes: readonly AnnouncedSandbox[];
}

/** Body of a request to `REPORT_PATH`; its answer is a `Standing`. */
export interface ExchangeReport {
  /** undefined: the agent does not know yet which of its sandboxes take mTLS. */
  readonly announced: Announcement | undefined;
  /** The position that the node follows: its proxy acts by the records of that position. undefined: none yet. */
  readonly follows: Position | undefined;
}

/** Body of a request to `EXCHANGE_PATH`; its answer is an `ExchangeNews`. */
export interface ExchangeQuestion {
  /** The records that the node has; undefined: none. */
  readonly knows: Position | undefined;
  /** Nodes of which the asker needs all records, because it did not take earlier news of them. */
  readonly incomplete: readonly string[];
  /** What the last `Standing` said. */
  readonly followed: Followed;
  readonly waitingFor: readonly string[];
  /** The authority did not answer before: it answers this question without holding it. */
  readonly atOnce?: boolean;
}

/** The newest version of a node's report that all other nodes follow. `alone`: no other node has to follow. */
export type Followed = number | "alone";

/** How far other nodes have followed the asker. */
export interface Standing {
  readonly instance: string;
  /** The newest version of the asker's report that this instance has; 0: none. */
  readonly version: number;
  readonly followed: Followed;
  /** Nodes that do not follow `version` yet: not all of them where they are many. */
  readonly waitingFor: readonly WaitedForNode[];
}

/** What the authority keeps of one sandbox. */
export interface ExchangeRecord extends AnnouncedSandbox {
  readonly node: string;
  /** When the record changed last. */
  readonly revision: number;
  /** The node does not announce the sandbox any more. The record is a tombstone, so that a delta can tell of it. */
  readonly gone?: true;
}

/** What has changed at other nodes after revision `from`, up to `revision`. */
export interface ExchangeNews {
  readonly instance: string;
  /** 0: the list is complete, for the nodes that have reported to this instance. */
  readonly from: number;
  readonly revision: number;
  readonly nodes: readonly NodeNews[];
  readonly records: readonly ExchangeRecord[];
  readonly standing: Standing;
}

/** A node of which `ExchangeNews` tell something. */
export interface NodeNews {
  readonly node: string;
  /** Version of the report that the records are from. A node that knows a later report keeps that one. */
  readonly version: number;
  /** `records` has all records of the node. The asker drops its other records of that node. */
  readonly complete?: true;
  /** The node's certificates have ended without another report: it has no records any more. */
  readonly ended?: true;
}

/** Body of an answer other than 200: an `AmbitError`. */
export interface Refusal {
  readonly code: string;
  readonly kind: "user" | "system";
  readonly what: string;
  readonly why?: string | undefined;
  readonly remedy?: string | undefined;
}
