import type { ObjectMeta } from "./meta.ts";

/** A declared port of a container, which a Service's `targetPort` can name. */
export interface ContainerPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: "TCP" | "UDP";
}

/** A port that the kubelet probes, as the Pod declares. Its probes pass capture. */
export type ProbePort = number;

/** A Pod, as the mesh sees it. */
export interface Workload {
  readonly meta: ObjectMeta;
  /** Unique over time, unlike its name and its addresses. */
  readonly uid: string;
  /** "" while it is not scheduled. */
  readonly node: string;
  /** IPv4 and IPv6 addresses in canonical text form, the primary one first. */
  readonly addresses: readonly string[];
  readonly serviceAccount: string;
  /** The controller that made it (a Deployment's name rather than its ReplicaSet's), or the pod's own name. */
  readonly workloadName: string;
  readonly ports: readonly ContainerPort[];
  readonly probePorts: readonly ProbePort[];
  readonly hostNetwork: boolean;
  /** The pod is enrolled: its labels say so (`isEnrolled`), it is not on the host's network, and it has not ended. */
  readonly enrolled: boolean;
  /** Succeeded or Failed: it has no processes any more. */
  readonly terminated: boolean;
}
