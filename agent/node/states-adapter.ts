import { hasStrict, peerModes } from "../compile/mtls/peer-mode.ts";
import type { NodeConfig } from "../compile/compile.ts";
import type { CapturedPod, CaptureState } from "../model/capture-state.ts";
import type { Identities } from "../model/identity.ts";
import type { Mesh } from "../model/mesh.ts";
import type { LocalPodState, PodState } from "../model/pod-state.ts";
import type { SandboxLookup } from "../model/sandbox.ts";
import { spiffeIdOf } from "../model/spiffe-id.ts";
import type { Workload } from "../model/workload.ts";

/** What the agent knows of its pods, as sets of UIDs; the states that `pod-lifecycle.ts` makes will take their place. */
export interface PodSets {
  readonly node: string;
  readonly sandboxes: SandboxLookup;
  readonly trustDomain: string;
  readonly rootNamespace: string;
  readonly identities: Identities | undefined;
  /** Pods that have been captured, and live on. */
  readonly members: ReadonlySet<string>;
  /** Pods that every other node speaks mTLS to. */
  readonly followed: ReadonlySet<string>;
  /** Pods that have waited for their certificate for more than a moment. */
  readonly guarded: ReadonlySet<string>;
  /** Pods that have waited for so long that STRICT applies to them. */
  readonly closed: ReadonlySet<string>;
  /** Pods whose certificate the proxy has from an earlier agent. */
  readonly certified: ReadonlySet<string>;
}

/** An enrolled pod that waits for its certificate. */
export interface WaitingPod {
  readonly uid: string;
  readonly guarded: boolean;
  /** It is STRICT, at some port at least, and has waited for so long that it takes no plaintext there. */
  readonly closed: boolean;
}

/** A configuration as the reconciler of today takes it. */
export interface ReconciledConfig {
  readonly xds: NodeConfig["xds"];
  readonly capture: Omit<CaptureState, "pods"> & {
    readonly pods: readonly CapturedPod[];
    readonly leaving: readonly CapturedPod[];
  };
}

/** The state of every pod of the node, as far as the sets tell. */
export function podStates(mesh: Mesh, sets: PodSets): ReadonlyMap<string, LocalPodState> {
  return new Map(
    podsHere(mesh, sets).map(({ workload, netns }) => [workload.uid, { netns, state: stateOf(workload, sets) }]),
  );
}

/** Pods with the label that have no certificate. */
export function waitingPods(mesh: Mesh, sets: PodSets): readonly WaitingPod[] {
  const modes = peerModes(mesh.peerAuthentications, sets.rootNamespace);
  return podsHere(mesh, sets).flatMap(({ workload }) => {
    const { uid } = workload;
    if (!workload.enrolled || hasCertificate(workload, sets)) return [];
    return [{ uid, guarded: sets.guarded.has(uid), closed: isStrict(uid, sets) && hasStrict(modes(workload)) }];
  });
}

export function reconciled({ xds, capture }: NodeConfig, mesh: Mesh, sets: PodSets): ReconciledConfig {
  const workloads = new Map(mesh.workloads.map((workload) => [workload.uid, workload]));
  const pods = capture.pods.flatMap(({ phase, ...facts }) => {
    const workload = workloads.get(facts.uid);
    if (phase === "waiting" || workload === undefined) return [];
    return [{ enrolled: workload.enrolled, pod: { ...facts, waits: !hasCertificate(workload, sets) } }];
  });
  const of = (enrolled: boolean): readonly CapturedPod[] =>
    pods.filter((each) => each.enrolled === enrolled).map(({ pod }) => pod);
  return { xds, capture: { ...capture, pods: of(true), leaving: of(false) } };
}

function podsHere({ workloads }: Mesh, { node, sandboxes }: PodSets) {
  return workloads.flatMap((workload) => {
    if (workload.node !== node || workload.terminated || workload.addresses.length === 0) return [];
    const netns = sandboxes.netnsOf(workload.uid);
    return netns === undefined ? [] : [{ workload, netns }];
  });
}

function stateOf(workload: Workload, sets: PodSets): PodState {
  const { uid, enrolled } = workload;
  const since = -Infinity;
  const certified = hasCertificate(workload, sets);
  if (!enrolled && !sets.members.has(uid)) return { phase: "outside" };
  if (!certified) {
    if (enrolled && !sets.guarded.has(uid)) return { phase: "waiting", since, strict: false, hasListeners: false };
    // A pod that leaves without a certificate keeps the inbound listener that it has.
    return { phase: "guarded", since, strict: enrolled && isStrict(uid, sets), captured: true };
  }
  if (enrolled) {
    return { phase: "captured", since, strict: isStrict(uid, sets), announced: undefined, followedAt: undefined };
  }
  return {
    ...{ phase: "leaving", since, step: "withdrawn", outbound: "captured" },
    ...{ servedAt: undefined, withdrawn: undefined, followedAt: undefined },
  };
}

function isStrict(uid: string, { followed, closed }: PodSets): boolean {
  return followed.has(uid) || closed.has(uid);
}

function hasCertificate(workload: Workload, { identities, certified, trustDomain }: PodSets): boolean {
  return (
    identities === undefined ||
    certified.has(workload.uid) ||
    (identities.rootsPem !== "" && identities.certificates.has(spiffeIdOf(trustDomain, workload)))
  );
}
