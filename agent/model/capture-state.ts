/** What the kernel should capture on this node, as `compile` asks for it and `bpf` puts it into maps. */
export interface CaptureState {
  readonly pods: readonly CapturedPod[];
  /** Pods that have been in the mesh, and live on outside: held until nobody speaks mTLS to them any more. */
  readonly leaving: readonly CapturedPod[];
  readonly destinations: readonly CapturedDestination[];
  /** Where a server may speak first, and plaintext is taken: who cannot speak mTLS is not waited for long there. */
  readonly briefPorts: readonly PodPort[];
  /** Addresses of the pods that may speak mTLS to those. */
  readonly mtlsCallers: readonly string[];
}

/** A port of a pod of this node. */
export interface PodPort {
  readonly address: string;
  readonly port: number;
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
