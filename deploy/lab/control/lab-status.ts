import type { PrintedProblem } from "../../../agent/model/problem.ts";
import type { Usage } from "../machine/usage.ts";

/** What `ambit lab status -o json` prints. */
export interface LabStatus {
  readonly name: string;
  readonly manifests: string;
  /** Everything that should be is: see `waitingFor`. */
  readonly ready: boolean;
  /** What is not (yet) as it should be, in words. */
  readonly waitingFor: readonly string[];
  /** Among them some that waiting will not mend. */
  readonly failed: boolean;
  /** What signs certificates; null without agents, and while it is being started again. */
  readonly authorityPid: number | null;
  readonly nodes: readonly NodeStatus[];
  readonly pods: readonly PodStatus[];
  readonly services: readonly ServiceStatus[];
  /** What the manifests ask for and the lab does not do, or cannot read. */
  readonly warnings: readonly PrintedProblem[];
}

export interface NodeStatus {
  readonly name: string;
  /** Path of its network namespace. */
  readonly netns: string;
  readonly ip: string;
  readonly agentPid: number | null;
  readonly envoyPid: number | null;
  readonly metricsUrl: string | null;
  readonly adminSocket: string | null;
  /** null while they do not run. */
  readonly agentUsage: Usage | null;
  readonly envoyUsage: Usage | null;
  readonly ready: boolean;
  readonly reason: string;
}

export interface PodStatus {
  readonly namespace: string;
  readonly name: string;
  /** "" for a pod that has none. */
  readonly node: string;
  readonly uid: string;
  readonly ip: string;
  readonly ip6: string | null;
  /** Path of its network namespace. */
  readonly netns: string;
  readonly phase: string;
  /** By its labels: should its traffic pass the mesh? */
  readonly wanted: boolean;
  /** Does it? As its node's agent says. */
  readonly enrolled: boolean;
  readonly ready: boolean;
  /** Why it is not ready, or not enrolled though it should be; "" otherwise. */
  readonly reason: string;
  readonly createdAt: string;
  /** What made it, for example `Deployment shop/web`; null for one from a manifest. */
  readonly owner: string | null;
  readonly usage: Usage | null;
  readonly containers: readonly ContainerStatus[];
}

export interface ContainerStatus {
  readonly name: string;
  /** null while it does not run. */
  readonly pid: number | null;
  readonly restarts: number;
  readonly ready: boolean;
  readonly log: string;
}

export interface ServiceStatus {
  readonly namespace: string;
  readonly name: string;
  /** "None" for a headless Service, "" for one without. */
  readonly clusterIP: string;
  readonly clusterIPs: readonly string[];
  readonly ports: readonly {
    readonly name: string;
    readonly port: number;
    readonly protocol: string;
    readonly targetPort: number | string;
  }[];
  /** Those that are ready. */
  readonly endpoints: readonly EndpointStatus[];
}

export interface EndpointStatus {
  readonly address: string;
  readonly ports: readonly { readonly name: string; readonly port: number }[];
  readonly node: string | null;
  readonly pod: string | null;
}
