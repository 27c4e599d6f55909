import type { NodeConfig } from "../compile/compile.ts";
import type { AdsStatus } from "../envoy/ads/ads-server.ts";
import type { Rejection } from "../envoy/ads/kind-state.ts";
import type { LimitReached } from "../envoy/limits-reached.ts";
import type { EnvoyStatus } from "../envoy/proxy.ts";
import type { CertificateStatus } from "../identity/node/certificate-status.ts";
import type { Exchange, WaitedForNode } from "../model/exchange.ts";
import type { Mesh } from "../model/mesh.ts";
import { effectsOf, type MeshPhase } from "../model/pod-state.ts";
import { printProblem, type PrintedProblem, type Problem } from "../model/problem.ts";
import type { SandboxLookup } from "../model/sandbox.ts";
import { spiffeIdOf } from "../model/spiffe-id.ts";
import type { Workload } from "../model/workload.ts";
import { needsAuthority, WITHOUT_AUTHORITY, type WithoutAuthority } from "../policy/needs-authority.ts";
import type { Refusing } from "./pod-in-kernel.ts";
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
  /** Limits that were reached in the last ten minutes. */
  readonly limits?: readonly LimitReached[];
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
  /**
   * New connections to the pod do not reach it, except its kubelet's probes: `drop`: clients send again, as the pod joins;
   * `refuse`: they fail at once. Absent: nothing of that.
   */
  readonly refusing?: Refusing;
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
  readonly limits: readonly LimitReached[];
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
      return {
        ...{ namespace, name, uid: workload.uid, enrolled, phase },
        ...(reason !== undefined && { reason }),
        ...(view?.refusing !== undefined && { refusing: view.refusing }),
      };
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
    limits: parts.limits,
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
  const listener = listenerReason(workload, parts);
  const fate = fateOf(view);
  switch (state.phase) {
    case "outside":
    case "left":
      return undefined;
    case "waiting":
      return `${certificateReason(workload, parts)}; ${fate}`;
    case "guarded": {
      const why = certificateReason(workload, parts);
      if (!listening) return `${why}; ${listener}: ${fate}`;
      const guard = "policies guard connections to it, and its own connections are not in the mesh";
      return `${why}; ${guard}${state.strict ? "; where it is STRICT it takes no plaintext" : ""}`;
    }
    case "joining":
      return listening ? "the proxy has not acknowledged all of its listeners yet" : `${listener}: ${fate}`;
    case "captured":
      return listening ? undefined : `${listener}: ${fate}`;
    case "leaving":
      return listening ? leavingReason(parts.exchange) : `${leavingReason(parts.exchange)}; ${listener}: ${fate}`;
  }
}

/** What becomes of new connections to a pod without a listener. */
function fateOf({ state, refusing }: PodView): string {
  switch (refusing) {
    case "drop":
      return "until then new connections to it are dropped, so that clients send again";
    case "refuse":
      return "new connections to it are refused";
    case undefined:
      return effectsOf(state).inbound === "open" ? "nothing guards it yet" : "new connections to it pass unguarded";
  }
}

/** Why no inbound listener stands for the pod, and what to do where there is something to do. */
function listenerReason({ uid }: Workload, { envoy, ads }: StatusParts): string {
  const { trouble } = envoy;
  if (trouble !== undefined) return `${trouble.what}; what to do: ${trouble.remedy}`;
  if (!envoy.ready) return "the node's Envoy is not ready, so that no listener stands in the pod's network namespace";
  const rejected = ads.rejections.find(({ name }) => name.startsWith("inbound") && name.endsWith(`|${uid}`));
  if (rejected !== undefined) {
    return `Envoy refused its listener (${rejected.message}); what to do: change the object that the listener comes from`;
  }
  return "the proxy has no listener in its network namespace";
}

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
