/** What the kernel should capture on this node, as `compile` asks for it and `bpf` puts it into maps. */
export interface CaptureState {
  readonly pods: readonly CapturedPod[];
  /** Pods that have been in the mesh, and live on outside: held until nobody speaks mTLS to them any more. */
  readonly leaving: readonly CapturedPod[];
  readonly destinations: readonly CapturedDestination[];
}

/** One enrolled pod of this node. */
export interface CapturedPod {
  readonly uid: string;
  /** Path of its network namespace. */
  readonly netns: string;
  readonly addresses: readonly string[];
  /** Ports on which the kubelet's declared probes reach the application directly. */
  readonly probePorts: readonly number[];
  /** It waits for its certificate: only what comes to it is captured. */
  readonly waits: boolean;
}

/** Which of a pod's outbound listeners takes a connection: the kernel sends it to that listener's port. */
export type OutboundMode = "http" | "tcp" | "detect";

/** Where connections of enrolled pods are taken from on their way; everything else is left alone. */
export interface CapturedDestination {
  readonly address: string;
  /** 0: every port that is not named beside. */
  readonly port: number;
  readonly mode: OutboundMode;
}
