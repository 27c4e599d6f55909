/** One of this node's sandboxes that takes mTLS. */
export interface AnnouncedSandbox {
  readonly uid: string;
  readonly cookie: string;
  /** Those addresses of its Pod that its network namespace has. */
  readonly addresses: readonly string[];
}

/**
 * A pod of another node, with the node that has announced it. No other node can say anything of a pod: whoever asks names the
 * node on which the pod's object places it.
 */
export type RemotePod = `${string}/${string}`;

export function remotePod({ node, uid }: { readonly node: string; readonly uid: string }): RemotePod {
  return `${node}/${uid}`;
}

/** Pods of other nodes that take mTLS, with the addresses that their own nodes have found in their network namespaces. */
export type RemotePods = ReadonlyMap<RemotePod, readonly string[]>;

/** `Exchange.followed()` of a node whose pods no other node can call. */
export const ALONE = Infinity;

/**
 * The exchange between nodes: which sandboxes take mTLS, and which nodes follow. Without it no node speaks mTLS to another.
 * A report never gives a pod an identity; it decides in which form bytes are sent to the pod, and refutes what others claim of
 * the pod's addresses.
 */
export interface Exchange {
  /** Other nodes' pods that take mTLS, as far as this node knows. The same object until it changes. */
  captured(): RemotePods;
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
