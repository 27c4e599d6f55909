import type { CertificateStatus } from "./ca/certificate-status.ts";
import type { NodeConfig } from "./compile/compile.ts";
import type { EnvoyStatus } from "./envoy/supervisor.ts";
import type { Mesh } from "./model/mesh.ts";
import { spiffeIdOf } from "./model/spiffe-id.ts";
import type { Workload } from "./model/workload.ts";
import type { Problem } from "./model/problem.ts";
import type { Reconciler } from "./reconciler.ts";
import type { AdsStatus } from "./xds/ads-server.ts";
import type { Rejection } from "./xds/ads-stream.ts";

/** What an agent says of its node at `/status`. */
export interface AgentStatus {
  readonly node: string;
  /** Envoy is ready, and the first configuration is in effect. */
  readonly ready: boolean;
  readonly agentPid: number;
  readonly envoy: EnvoyStatus;
  readonly pods: readonly PodStatus[];
  readonly problems: readonly Problem[];
  readonly xds: { readonly connected: boolean; readonly nacks: readonly Rejection[] };
  /** Absent where the agent has no authority. */
  readonly certificates?: CertificateStatus;
}

export interface PodStatus {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly enrolled: boolean;
  /** Why it is not captured, where it should be. */
  readonly reason?: string;
}

export function agentStatus(
  { node, trustDomain }: { readonly node: string; readonly trustDomain: string },
  mesh: Mesh,
  config: NodeConfig | undefined,
  reconciler: Reconciler,
  envoy: EnvoyStatus,
  ads: AdsStatus,
  certificates: CertificateStatus | undefined,
): AgentStatus {
  const waiting = new Map(certificates?.identities.map(({ spiffeId, waiting: why }) => [spiffeId, why]));
  const notYet = (workload: Workload): string => {
    if (workload.netns === undefined) return "its network namespace is not known on this node";
    const why = waiting.get(spiffeIdOf(trustDomain, workload)) ?? certificates?.authorityTrouble;
    const isWaiting = config?.waiting.includes(workload.uid) === true;
    return isWaiting ? `it waits for its certificate: ${why ?? "it is on its way"}` : "its configuration is on its way";
  };
  const pods = mesh.workloads
    .filter((workload) => workload.node === node && !workload.terminated)
    .map((workload): PodStatus => {
      const { namespace, name } = workload.meta;
      const state = reconciler.states.get(workload.uid);
      const reason = state?.reason ?? (workload.enrolled && state === undefined ? notYet(workload) : undefined);
      const pod = { namespace, name, uid: workload.uid, enrolled: state?.enrolled === true };
      return reason === undefined ? pod : { ...pod, reason };
    });
  return {
    node,
    ready: envoy.ready && reconciler.settled,
    agentPid: process.pid,
    envoy,
    pods,
    problems: config?.problems ?? mesh.problems,
    xds: { connected: ads.connected, nacks: ads.rejections },
    ...(certificates !== undefined && { certificates }),
  };
}
