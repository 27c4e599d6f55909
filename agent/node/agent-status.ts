import type { NodeConfig } from "../compile/compile.ts";
import type { AdsStatus } from "../envoy/ads/ads-server.ts";
import type { Rejection } from "../envoy/ads/ads-stream.ts";
import type { EnvoyStatus } from "../envoy/proxy.ts";
import type { CertificateStatus } from "../identity/node/certificate-status.ts";
import type { Exchange, WaitedForNode } from "../model/exchange.ts";
import type { Mesh } from "../model/mesh.ts";
import type { MeshPhase } from "../model/pod-state.ts";
import { printProblem, type PrintedProblem, type Problem } from "../model/problem.ts";
import type { SandboxLookup } from "../model/sandbox.ts";
import { spiffeIdOf } from "../model/spiffe-id.ts";
import type { Workload } from "../model/workload.ts";
import { needsAuthority, WITHOUT_AUTHORITY, type WithoutAuthority } from "../policy/needs-authority.ts";
import type { Pods, PodView } from "./pods.ts";

/** The agent's answer at `/status`. */
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
  /** The exchange with other nodes; absent if the agent has no authority. */
  readonly exchange?: ExchangeStatus;
  /** Present if the agent has no authority: what follows from that. */
  readonly withoutAuthority?: WithoutAuthority;
}

export interface PodStatus {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** The pod is in the mesh: its phase is captured or leaving. */
  readonly enrolled: boolean;
  /** Where the pod stands on its way into the mesh and out of it: docs/glossary.md. */
  readonly phase: MeshPhase;
  /** Why the pod is not in the mesh although it has the label, or the event that it waits for, in one sentence. */
  readonly reason?: string;
}

export interface ExchangeStatus {
  /** Other nodes that do not follow this node's newest report yet. */
  readonly waitingFor: readonly WaitedForNode[];
  /** Why nothing can be heard from other nodes at present. */
  readonly trouble?: string;
}

export interface StatusParts {
  readonly node: string;
  readonly trustDomain: string;
  readonly mesh: Mesh;
  /** undefined until the first one is compiled. */
  readonly config: NodeConfig | undefined;
  /** Why the newest mesh was not compiled; undefined: it was. */
  readonly compileFailure: string | undefined;
  readonly sandboxes: SandboxLookup;
  readonly pods: Pods;
  readonly exchange: Exchange;
  /** The proxy has acknowledged a configuration. */
  readonly isSettled: boolean;
  readonly envoy: EnvoyStatus;
  readonly ads: AdsStatus;
  /** undefined: the agent has no authority. */
  readonly certificates: CertificateStatus | undefined;
}

export function agentStatus(parts: StatusParts): AgentStatus {
  const { node, mesh, config, exchange, envoy, ads, certificates } = parts;
  const views = parts.pods.views();
  const pods = mesh.workloads
    .filter((workload) => workload.node === node && !workload.terminated)
    .map((workload): PodStatus => {
      const view = views.get(workload.uid);
      const phase = view?.state.phase ?? "outside";
      const reason = view === undefined ? withoutSandbox(workload, parts) : reasonOf(workload, view, parts);
      const { namespace, name } = workload.meta;
      const enrolled = phase === "captured" || phase === "leaving";
      const status = { namespace, name, uid: workload.uid, enrolled, phase };
      return reason === undefined ? status : { ...status, reason };
    });
  return {
    node,
    ready: envoy.ready && parts.isSettled,
    agentPid: process.pid,
    envoy,
    pods,
    problems: [
      ...(parts.compileFailure === undefined ? [] : [notCompiled(parts.compileFailure)]),
      ...(config?.problems ?? mesh.problems),
      ...(certificates === undefined ? needsAuthority(mesh) : []),
    ].map(printProblem),
    xds: { connected: ads.connected, nacks: ads.rejections },
    ...(certificates === undefined
      ? { withoutAuthority: WITHOUT_AUTHORITY }
      : { certificates, exchange: exchangeStatus(exchange) }),
  };
}

function notCompiled(why: string): Problem {
  return {
    severity: "error",
    code: "not-compiled",
    origin: { file: "agent" },
    subject: undefined,
    field: "",
    reason: `the newest objects cannot be put into effect, and the configuration before them stays: ${why}`,
    remedy: "Undo the last change of the objects, and report this: it is a fault of Ambit.",
  };
}

function exchangeStatus(exchange: Exchange): ExchangeStatus {
  const trouble = exchange.trouble();
  return { waitingFor: exchange.waitingFor(), ...(trouble !== undefined && { trouble }) };
}

function withoutSandbox({ enrolled, uid }: Workload, { sandboxes, pods }: StatusParts): string | undefined {
  if (!enrolled) return undefined;
  const why = pods.unreachable().get(uid);
  if (why !== undefined) return why;
  if (sandboxes.netnsOf(uid) === undefined) return "its network namespace is not known on this node";
  return "its configuration is on its way";
}

function reasonOf(workload: Workload, view: PodView, parts: StatusParts): string | undefined {
  const { state, failure, listening } = view;
  if (failure !== undefined) return failure;
  switch (state.phase) {
    case "outside":
    case "left":
      return undefined;
    case "waiting":
      return `${certificateReason(workload, parts)}; nothing guards it yet`;
    case "guarded": {
      const why = certificateReason(workload, parts);
      if (!state.captured) return `${why}; the proxy has no listener in its network namespace yet: nothing guards it`;
      if (!listening) return `${why}; ${LOST}`;
      const guard = "policies guard connections to it, and its own connections are not in the mesh";
      return `${why}; ${guard}${state.strict ? "; where it is STRICT it takes no plaintext" : ""}`;
    }
    case "joining":
      return "the proxy has no listener in its network namespace yet";
    case "captured":
      return listening
        ? undefined
        : "the proxy has lost its listener in its network namespace: connections are refused";
    case "leaving":
      return leavingReason(parts.exchange);
  }
}

const LOST = "the proxy has lost its listener in its network namespace: connections to it are refused";

function certificateReason(workload: Workload, { certificates, trustDomain }: StatusParts): string {
  const identity = certificates?.identities.find(({ spiffeId }) => spiffeId === spiffeIdOf(trustDomain, workload));
  const why = identity?.waiting ?? certificates?.authorityTrouble ?? "it is on its way";
  return `it waits for its certificate: ${why}`;
}

function leavingReason(exchange: Exchange): string {
  const nodes = exchange
    .waitingFor()
    .map(({ node, lastHeard }) => (lastHeard === undefined ? node : `${node} (last heard of at ${lastHeard})`));
  const waiting = nodes.length === 0 ? "" : `; it waits for ${nodes.join(", ")}`;
  return `it leaves the mesh once no other node speaks mTLS to it${waiting}`;
}
