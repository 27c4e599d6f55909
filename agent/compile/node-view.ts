import { compareText } from "../lib/compare.ts";
import { Remembered } from "../lib/remember.ts";
import type { Endpoint, EndpointSlice } from "../model/endpoint.ts";
import type { Mesh } from "../model/mesh.ts";
import { namespacedName, type NamespacedName } from "../model/meta.ts";
import type { Service, ServicePort } from "../model/service.ts";
import type { Workload } from "../model/workload.ts";
import type { MtlsMode } from "../model/peer-authentication.ts";
import { spiffeIdOf } from "../model/spiffe-id.ts";
import { hasStrict, modeOf, peerModes, withoutStrict, type PeerModes } from "./mtls/peer-mode.ts";
import { familyOf, type IpFamily } from "./names.ts";
import type { CompileOptions } from "./options.ts";

/** A ready address behind a Service's port. */
export interface Backend {
  readonly address: string;
  readonly port: number;
  /** The pod behind it, where there is one that the mesh knows. */
  readonly workload: Workload | undefined;
}

/** A pod of this node that is captured, or has been, with the facts that such a pod is sure to have. */
export interface LocalPod {
  readonly workload: Workload;
  readonly netns: string;
  /** It has no certificate yet: what comes to it is taken in plaintext, and what it calls is not taken at all. */
  readonly waits: boolean;
}

/** A port of a pod that a Service's port leads to. */
export interface ServedPort {
  readonly pod: Workload;
  readonly port: number;
}

/** An enrolled pod that waits for its certificate, and what that means for it. */
export interface WaitingPod {
  readonly uid: string;
  readonly guarded: boolean;
  /** It is STRICT, at some port at least, and has waited for so long that it takes no plaintext there. */
  readonly closed: boolean;
}

/** The mesh as one node looks at it: indexes that the features share. */
export interface NodeView {
  readonly mesh: Mesh;
  readonly node: string;
  /** Enrolled pods of this node, without those that have begun to wait for a certificate just now. */
  readonly localPods: readonly LocalPod[];
  /** Pods of this node that have left the mesh, and keep their listeners. */
  readonly leavingPods: readonly LocalPod[];
  /** Enrolled pods of this node that wait for a certificate, however long. */
  readonly waitingPods: readonly WaitingPod[];
  readonly workloadsByName: ReadonlyMap<NamespacedName, Workload>;
  readonly workloadsByAddress: ReadonlyMap<string, Workload>;
  readonly servicesByName: ReadonlyMap<NamespacedName, Service>;
  /** Has the Service an endpoint that is a pod of this node? Answered without making its backends. */
  isServedHere(service: Service): boolean;
  /** Ready backends of a Service's port, sorted by address; the same list as long as nothing about them changes. */
  backends(service: Service, port: ServicePort, family: IpFamily): readonly Backend[];
  /** Workloads behind a Service, those among them that are not ready, or not any more. */
  workloadsBehind(service: Service): readonly Workload[];
  /** The ports of pods that a Service's port leads to, again whether or not they are ready. */
  podPortsBehind(service: Service, port: ServicePort): readonly ServedPort[];
  /** What PeerAuthentications say of a pod. None is STRICT before all nodes know it by mTLS (or it is closed), or after. */
  modesOf(pod: Workload): PeerModes;
  /** Is a port of a workload spoken to by mTLS? Only where its node has said that it is captured there. */
  speaksMtls(workload: Workload | undefined, port: number): boolean;
  /** The netns of a workload that is enrolled on this node. */
  netnsOf(workload: Workload | undefined): string | undefined;
}

export type ViewOptions = Pick<
  CompileOptions,
  | "node"
  | "leaving"
  | "identities"
  | "captured"
  | "followed"
  | "guarded"
  | "closed"
  | "certified"
  | "trustDomain"
  | "rootNamespace"
>;

const NOBODY: ReadonlySet<string> = new Set();

export function nodeView(mesh: Mesh, options: ViewOptions): NodeView {
  const { node, leaving = NOBODY, identities, captured, followed, trustDomain } = options;
  const { guarded = NOBODY, closed = NOBODY, certified = NOBODY } = options;
  const alive = mesh.workloads.filter((workload) => !workload.terminated);
  const workloadsByName = new Map(alive.map((w) => [namespacedName(w.meta.namespace, w.meta.name), w]));
  const workloadsByAddress = new Map(
    alive.filter((w) => !w.hostNetwork).flatMap((w) => w.addresses.map((address) => [address, w] as const)),
  );
  const hasCertificate = (workload: Workload): boolean =>
    identities === undefined ||
    certified.has(workload.uid) ||
    (identities.rootsPem !== "" && identities.certificates.has(spiffeIdOf(trustDomain, workload)));
  const here = alive.flatMap((workload) =>
    workload.node === node && workload.netns !== undefined && workload.addresses.length > 0
      ? [{ workload, netns: workload.netns, waits: !hasCertificate(workload) }]
      : [],
  );
  const enrolled = here.filter(({ workload }) => workload.enrolled);
  const localPods = enrolled.filter(({ workload, waits }) => !waits || guarded.has(workload.uid));
  const modes = peerModes(mesh.peerAuthentications, options.rootNamespace);
  const modesOf = (workload: Workload): PeerModes => {
    const { uid } = workload;
    const isKnown = workload.enrolled && (followed === undefined || followed.has(uid) || closed.has(uid));
    return isKnown ? modes(workload) : withoutStrict(modes(workload));
  };
  const netnsByUid = new Map(localPods.map((pod) => [pod.workload.uid, pod.netns]));
  const slices = new Map<NamespacedName, EndpointSlice[]>();
  for (const slice of mesh.endpointSlices) {
    const key = namespacedName(slice.meta.namespace, slice.service);
    slices.set(key, [...(slices.get(key) ?? []), slice]);
  }

  const addressesHere = new Set(here.flatMap(({ workload }) => workload.addresses));
  const podsHere = new Set(here.map(({ workload: { meta } }) => namespacedName(meta.namespace, meta.name)));
  const isHere = ({ addresses, pod }: Endpoint, namespace: string): boolean =>
    addresses.some((address) => addressesHere.has(address)) ||
    (pod !== undefined && podsHere.has(namespacedName(namespace, pod)));

  const workloadOf: WorkloadOf = (endpoint, namespace, address) =>
    (endpoint.pod === undefined ? undefined : workloadsByName.get(namespacedName(namespace, endpoint.pod))) ??
    workloadsByAddress.get(address);

  return {
    mesh,
    node,
    localPods,
    leavingPods: here.filter(({ workload }) => !workload.enrolled && leaving.has(workload.uid)),
    waitingPods: enrolled.flatMap(({ workload, waits }) => {
      const { uid } = workload;
      return waits ? [{ uid, guarded: guarded.has(uid), closed: hasStrict(modesOf(workload)) }] : [];
    }),
    modesOf,
    speaksMtls: (workload, port) =>
      identities !== undefined &&
      workload !== undefined &&
      workload.node !== node &&
      captured.has(workload.uid) &&
      modeOf(modes(workload), port) !== ("DISABLE" satisfies MtlsMode),
    workloadsByName,
    workloadsByAddress,
    servicesByName: new Map(mesh.services.map((s) => [namespacedName(s.meta.namespace, s.meta.name), s])),
    netnsOf: (workload) => (workload === undefined ? undefined : netnsByUid.get(workload.uid)),
    isServedHere({ meta }) {
      const own = slices.get(namespacedName(meta.namespace, meta.name)) ?? [];
      return own.some(({ endpoints }) => endpoints.some((endpoint) => isHere(endpoint, meta.namespace)));
    },
    workloadsBehind({ meta }) {
      const own = slices.get(namespacedName(meta.namespace, meta.name)) ?? [];
      return own.flatMap(({ endpoints }) =>
        endpoints.flatMap((endpoint) =>
          endpoint.addresses.flatMap((address) => workloadOf(endpoint, meta.namespace, address) ?? []),
        ),
      );
    },
    podPortsBehind(service, port) {
      const own = slices.get(namespacedName(service.meta.namespace, service.meta.name)) ?? [];
      return rememberedPorts.get(port, "", [mesh.workloads, ...own], () => portsOfPods(own, port, workloadOf));
    },
    backends(service, port, family) {
      const own = slices.get(namespacedName(service.meta.namespace, service.meta.name)) ?? [];
      return remembered.get(port, `${family}`, [mesh.workloads, ...own], () =>
        readyBackends(own, port, family, workloadOf),
      );
    },
  };
}

type WorkloadOf = (endpoint: Endpoint, namespace: string, address: string) => Workload | undefined;

const remembered = new Remembered<ServicePort, readonly Backend[]>();
const rememberedPorts = new Remembered<ServicePort, readonly ServedPort[]>();

function portsOfPods(
  slices: readonly EndpointSlice[],
  { name }: ServicePort,
  workloadOf: WorkloadOf,
): readonly ServedPort[] {
  return slices.flatMap(({ meta, ports, endpoints }) => {
    const target = ports.find((candidate) => candidate.name === name);
    if (target === undefined) return [];
    return endpoints.flatMap((endpoint) =>
      endpoint.addresses.flatMap((address) => {
        const pod = workloadOf(endpoint, meta.namespace, address);
        return pod === undefined ? [] : [{ pod, port: target.port }];
      }),
    );
  });
}

function readyBackends(
  slices: readonly EndpointSlice[],
  port: ServicePort,
  family: IpFamily,
  workloadOf: WorkloadOf,
): readonly Backend[] {
  const found = new Map<string, Backend>();
  for (const slice of slices) {
    const target = slice.ports.find((candidate) => candidate.name === port.name);
    if (target === undefined) continue;
    for (const endpoint of slice.endpoints) {
      if (!endpoint.ready) continue;
      for (const address of endpoint.addresses) {
        if (familyOf(address) !== family) continue;
        const workload = workloadOf(endpoint, slice.meta.namespace, address);
        found.set(`${address} ${target.port}`, { address, port: target.port, workload });
      }
    }
  }
  return [...found.values()].toSorted((a, b) => compareText(a.address, b.address) || a.port - b.port);
}
