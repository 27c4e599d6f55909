import type { CertificateStatus } from "../identity/node/certificate-status.ts";
import type { NodeConfig } from "../compile/compile.ts";
import type { EnvoyStatus } from "../envoy/proxy.ts";
import type { Mesh } from "../model/mesh.ts";
import type { SandboxLookup } from "../model/sandbox.ts";
import { spiffeIdOf } from "../model/spiffe-id.ts";
import type { Workload } from "../model/workload.ts";
import { printProblem, type PrintedProblem } from "../model/problem.ts";
import { needsAuthority, WITHOUT_AUTHORITY, type WithoutAuthority } from "../policy/needs-authority.ts";
import type { Reconciler } from "./reconciler.ts";
import type { WaitingPod } from "./states-adapter.ts";
import type { AdsStatus } from "../envoy/ads/ads-server.ts";
import type { Rejection } from "../envoy/ads/ads-stream.ts";

/** What an agent says of its node at `/status`. */
export interface AgentStatus {
  readonly node: string;
  /** Envoy is ready, and the first configuration is in effect. */
  readonly ready: boolean;
  readonly agentPid: number;
  readonly envoy: EnvoyStatus;
  readonly pods: readonly PodStatus[];
  readonly problems: readonly PrintedProblem[];
  readonly xds: { readonly connected: boolean; readonly nacks: readonly Rejection[] };
  /** Absent if the agent has no authority. */
  readonly certificates?: CertificateStatus;
  /** Present if the agent has no authority: what follows from that. */
  readonly withoutAuthority?: WithoutAuthority;
}

export interface PodStatus {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly enrolled: boolean;
  /** Where the pod stands on its way into the mesh and out of it. */
  readonly phase?: string;
  /** Why it is not captured, where it should be. */
  readonly reason?: string;
}

export function agentStatus(
  { node, trustDomain }: { readonly node: string; readonly trustDomain: string },
  mesh: Mesh,
  sandboxes: SandboxLookup,
  config: (NodeConfig & { readonly waiting: readonly WaitingPod[] }) | undefined,
  reconciler: Reconciler,
  envoy: EnvoyStatus,
  ads: AdsStatus,
  certificates: CertificateStatus | undefined,
): AgentStatus {
  const waiting = new Map(certificates?.identities.map(({ spiffeId, waiting: why }) => [spiffeId, why]));
  const notYet = (workload: Workload, isCaptured: boolean): string => {
    if (sandboxes.netnsOf(workload.uid) === undefined) return "its network namespace is not known on this node";
    const found = config?.waiting.find(({ uid }) => uid === workload.uid);
    if (found === undefined) return "its configuration is on its way";
    const why = waiting.get(spiffeIdOf(trustDomain, workload)) ?? certificates?.authorityTrouble ?? "it is on its way";
    return `it waits for its certificate: ${why}; ${isCaptured ? meanwhile(found) : "nothing guards it yet"}`;
  };
  const pods = mesh.workloads
    .filter((workload) => workload.node === node && !workload.terminated)
    .map((workload): PodStatus => {
      const { namespace, name } = workload.meta;
      const state = reconciler.states.get(workload.uid);
      const isIn = state?.enrolled === true;
      const reason = state?.reason ?? (workload.enrolled && !isIn ? notYet(workload, state !== undefined) : undefined);
      const pod = { namespace, name, uid: workload.uid, enrolled: isIn };
      return reason === undefined ? pod : { ...pod, reason };
    });
  return {
    node,
    ready: envoy.ready && reconciler.settled,
    agentPid: process.pid,
    envoy,
    pods,
    problems: [...(config?.problems ?? mesh.problems), ...(certificates === undefined ? needsAuthority(mesh) : [])].map(
      printProblem,
    ),
    xds: { connected: ads.connected, nacks: ads.rejections },
    ...(certificates === undefined ? { withoutAuthority: WITHOUT_AUTHORITY } : { certificates }),
  };
}

/** What it means for a pod that it waits, once what comes to it is captured. */
function meanwhile({ closed }: WaitingPod): string {
  const guarded = "policies guard what comes to it, and what it calls is not in the mesh";
  return closed ? `${guarded}; STRICT holds, so that it takes no plaintext` : guarded;
}
