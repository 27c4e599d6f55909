import type { PrintedProblem } from "../../../agent/model/problem.ts";
import type { Usage } from "../machine/usage.ts";

/** `ambit lab status -o json` prints this. */
export interface LabStatus {
  readonly name: string;
  readonly manifests: string;
  /** True when `waitingFor` is empty. */
  readonly ready: boolean;
  /** What is not ready yet, or has failed, in words. */
  readonly waitingFor: readonly string[];
  /** True if waiting cannot help some of `waitingFor`. */
  readonly failed: boolean;
  /** Jobs that have failed, and Jobs that the lab cannot read, as `namespace/name`. */
  readonly failedJobs: readonly string[];
  /** The process that signs certificates; null without agents, and while it restarts. */
  readonly authorityPid: number | null;
  readonly nodes: readonly LabNodeStatus[];
  readonly pods: readonly LabPodStatus[];
  readonly services: readonly ServiceStatus[];
  /** Parts of the manifests that the lab does not support, or cannot read. */
  readonly warnings: readonly PrintedProblem[];
}

export interface LabNodeStatus {
  readonly name: string;
  /** Path of its network namespace. */
  readonly netns: string;
  readonly ip: string;
  readonly agentPid: number | null;
  readonly envoyPid: number | null;
  readonly metricsUrl: string | null;
  readonly adminSocket: string | null;
  /** null while the process does not run. */
  readonly agentUsage: Usage | null;
  readonly envoyUsage: Usage | null;
  readonly ready: boolean;
  readonly reason: string;
}

export type PodPhase = "Pending" | "Running" | "Succeeded" | "Failed";

/** Kubernetes' words for why a container waits (`state.waiting.reason`). */
export type WaitingReason =
  "ContainerCreating" | "CreateContainerConfigError" | "CreateContainerError" | "CrashLoopBackOff";

/** A pod's phase, or what holds the pod up, in Kubernetes' words. */
export type PodStatusWord =
  | Exclude<PodPhase, "Succeeded" | "Failed">
  | ("Completed" | "Error" | "Terminating")
  | WaitingReason
  /** Init containers that are through, and all of them. */
  | `Init:${number}/${number}`;

export interface LabPodStatus {
  readonly namespace: string;
  readonly name: string;
  /** "" for a pod that has none. */
  readonly node: string;
  readonly uid: string;
  readonly ip: string;
  readonly ip6: string | null;
  /** Path of its network namespace. */
  readonly netns: string;
  readonly phase: PodPhase;
  /** As in kubectl's column STATUS. */
  readonly status: PodStatusWord;
  /** Its labels, and those of its namespace, say that it belongs to the mesh. */
  readonly wanted: boolean;
  /** Its node's agent says that it is in the mesh. */
  readonly enrolled: boolean;
  readonly ready: boolean;
  /** Why it is not ready, or not yet enrolled; "" otherwise. */
  readonly reason: string;
  readonly createdAt: string;
  /** Its controller, for example `Deployment shop/web`; null for a pod from a manifest. */
  readonly owner: string | null;
  readonly usage: Usage | null;
  readonly containers: readonly ContainerStatus[];
}

export interface ContainerStatus {
  readonly name: string;
  /** null while the container does not run. */
  readonly pid: number | null;
  readonly restarts: number;
  readonly ready: boolean;
  readonly log: string;
}

export interface ServiceStatus {
  readonly namespace: string;
  readonly name: string;
  /** "None" for a headless Service, "" for an ExternalName. */
  readonly clusterIP: string;
  readonly clusterIPs: readonly string[];
  readonly ports: readonly {
    readonly name: string;
    readonly port: number;
    readonly protocol: string;
    readonly targetPort: number | string;
  }[];
  /** The ready endpoints. */
  readonly endpoints: readonly EndpointStatus[];
}

export interface EndpointStatus {
  readonly address: string;
  readonly ports: readonly { readonly name: string; readonly port: number }[];
  readonly node: string | null;
  readonly pod: string | null;
}
