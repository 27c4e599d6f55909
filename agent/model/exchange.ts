/** One of this node's sandboxes that takes mTLS. */
export interface AnnouncedSandbox {
  readonly uid: string;
  readonly cookie: string;
}

/** What every other node has been seen to follow. `ALONE` stands for a node that no other node can call. */
export const ALONE = Infinity;

/**
 * What the nodes tell each other: which sandboxes take mTLS, and who follows. Without it no node speaks mTLS to another.
 * A report never says who a pod is; it only decides in which form bytes are sent to it.
 */
export interface Exchange {
  /** UIDs of other nodes' pods that take mTLS, as far as this node has heard. The same object until it changes. */
  captured(): ReadonlySet<string>;
  /** Names the state of `captured()`, for `follow`. Grows. */
  revision(): number;
  /** This node's proxy goes by `captured()` as it was at `revision`; other nodes wait for that. */
  follow(revision: number): void;
  /** Tells the other nodes exactly which sandboxes of this node take mTLS. Returns the version of the report that says so. */
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
