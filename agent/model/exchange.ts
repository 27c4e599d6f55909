/** One of this node's sandboxes that takes mTLS. */
export interface AnnouncedSandbox {
  readonly uid: string;
  readonly cookie: string;
}

/** `Exchange.followed()` of a node whose pods no other node can call. */
export const ALONE = Infinity;

/**
 * The exchange between nodes: which sandboxes take mTLS, and which nodes follow. Without it no node speaks mTLS to another.
 * A report never gives a pod an identity; it only decides in which form bytes are sent to the pod.
 */
export interface Exchange {
  /** UIDs of other nodes' pods that take mTLS, as far as this node knows. The same object until it changes. */
  captured(): ReadonlySet<string>;
  /** Names the state of `captured()`, for `follow`. Grows. */
  revision(): number;
  /** This node follows: its proxy acts by `captured()` as it was at `revision`. Other nodes wait for that. */
  follow(revision: number): void;
  /** Announces exactly these sandboxes of this node. Returns the version of the report that names them. */
  announce(sandboxes: readonly AnnouncedSandbox[]): number;
  /** The newest version of this node's report that all other nodes follow; ALONE where there are no others. */
  followed(): number;
  /** Other nodes that do not follow this node's newest report yet, with what is known of them, for status. */
  waitingFor(): readonly WaitedForNode[];
  /** Why nothing can be heard from other nodes at present; undefined: all is well. */
  trouble(): string | undefined;
  /** Calls `listener` after each change of what the methods above answer. Returns how to stop that. */
  onChange(listener: () => void): () => void;
  close(): void;
}

export interface WaitedForNode {
  readonly node: string;
  /** When the authority heard from it last, as ISO 8601; undefined: not since the authority started. */
  readonly lastHeard: string | undefined;
}
