import type { MeshPhase } from "./pod-state.ts";

/**
 * What follows from the mesh for the kernel of one node. `compile` makes it; `node/publisher.ts` puts it into effect, and
 * `node/pods.ts` the pods' states.
 */
export interface CaptureState {
  /** Pods of this node in any state but `outside`. */
  readonly pods: readonly PodFacts[];
  /** Connections of captured pods to these go to the proxy. */
  readonly destinations: readonly CapturedDestination[];
  /**
   * Ports where a server may speak first and plaintext is taken: a caller that cannot speak mTLS gets a short wait
   * there.
   */
  readonly briefPorts: readonly PodPort[];
  /** Addresses of pods that may speak mTLS to `briefPorts`. */
  readonly mtlsCallers: readonly string[];
}

/** What the kernel needs to know of one pod of this node, beside the effects of its state. */
export interface PodFacts {
  readonly uid: string;
  /** Path of its network namespace. */
  readonly netns: string;
  readonly addresses: readonly string[];
  /** Ports on which the kubelet's declared probes reach the application directly. */
  readonly probePorts: readonly number[];
  readonly phase: MeshPhase;
}

/** A port of a pod of this node. */
export interface PodPort {
  readonly address: string;
  readonly port: number;
}

/** Which of a pod's outbound listeners takes a connection: the kernel sends it to that listener's port. */
export type OutboundMode = "http" | "tcp" | "detect";

/** An address and port; connections of captured pods to it go to the proxy, and all others pass. */
export interface CapturedDestination {
  readonly address: string;
  /** 0: every port of the address that has no entry of its own. */
  readonly port: number;
  readonly mode: OutboundMode;
}
