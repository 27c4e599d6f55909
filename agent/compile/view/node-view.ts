import { compareText } from "../../lib/compare.ts";
import { Remembered } from "../../lib/remember.ts";
import { slicesByService, type Endpoint, type EndpointSlice } from "../../model/endpoint.ts";
import type { Mesh } from "../../model/mesh.ts";
import { namespacedName, type NamespacedName } from "../../model/meta.ts";
import type { Service, ServicePort } from "../../model/service.ts";
import type { Workload } from "../../model/workload.ts";
import { effectsOf, type PodEffects, type PodState } from "../../model/pod-state.ts";
import { familyOf, type IpFamily } from "../../lib/ip-address.ts";
import { addressOwners, sameOwners, type AddressOwners } from "./address-owners.ts";
import { EndpointOwners } from "./endpoint-owners.ts";
import type { CompileOptions } from "./options.ts";

/** A ready address behind a Service's port. */
export interface Backend {
  readonly address: string;
  readonly port: number;
  /** The pod with that address; undefined: the mesh knows none. */
  readonly workload: Workload | undefined;
}

/** A pod of this node that has listeners of the proxy in its network namespace. */
export interface LocalPod {
  readonly workload: Workload;
  /** Path of its network namespace. */
  readonly netns: string;
  /** Those addresses of its Pod that its network namespace has. */
  readonly addresses: readonly string[];
  readonly state: PodState;
  /** What `state` asks for. */
  readonly effects: PodEffects;
}

/** The port of a pod behind a Service's port. */
export interface ServedPort {
  readonly pod: Workload;
  readonly port: number;
}

/** The mesh as one node sees it: indexes that all features share. */
export interface NodeView {
  readonly mesh: Mesh;
  readonly node: string;
  /** Every pod of this node whose state is not `outside`, with its network namespace. */
  readonly knownPods: readonly LocalPod[];
  /** `knownPods` that have listeners: a pod that has just begun to wait for its certificate has none. */
  readonly localPods: readonly LocalPod[];
  /** The pod that has an address. */
  readonly workloadsByAddress: ReadonlyMap<string, Workload>;
  /** Addresses with which no pod is trusted, as several claim them: connections to them are refused. */
  readonly contestedAddresses: ReadonlySet<string>;
  readonly servicesByName: ReadonlyMap<NamespacedName, Service>;
  /** At least one endpoint of the Service is one of `localPods`. The answer needs no backends. */
  isServedHere(service: Service): boolean;
  /** Ready backends of a Service's port, sorted by address. The result is the same list while nothing in it changes. */
  backends(service: Service, port: ServicePort, family: IpFamily): readonly Backend[];
  /** All workloads behind a Service, ready or not. */
  workloadsBehind(service: Service): readonly Workload[];
  /** All ports of pods behind a Service's port, ready or not. */
  podPortsBehind(service: Service, port: ServicePort): readonly ServedPort[];
  /**
   * Path of the network namespace in which callers of this node are delivered to a workload; undefined: they are not.
   */
  netnsOf(workload: Workload | undefined): string | undefined;
}

/** Earlier results for each port of a Service; each is used again while its inputs are the same. */
export interface ViewMemory {
  readonly backends: Remembered<ServicePort, readonly Backend[]>;
  readonly podPorts: Remembered<ServicePort, readonly ServedPort[]>;
  owners: AddressOwners | undefined;
}

export function newViewMemory(): ViewMemory {
  return { backends: new Remembered(), podPorts: new Remembered(), owners: undefined };
}

export function nodeView(
  mesh: Mesh,
  { node, pods, remoteCaptured }: Pick<CompileOptions, "node" | "pods" | "remoteCaptured">,
  memory: ViewMemory,
): NodeView {
  const alive = mesh.workloads.filter((workload) => !workload.terminated);
  const owners = sameOwners(memory.owners, addressOwners(alive, mesh.nodes, { node, pods, remoteCaptured }));
  memory.owners = owners;
  const knownPods = alive.flatMap((workload): readonly LocalPod[] => {
    const known = workload.node === node && !workload.hostNetwork ? pods.get(workload.uid) : undefined;
    if (known === undefined || known.state.phase === "outside" || known.addresses.length === 0) return [];
    return [{ workload, ...known, effects: effectsOf(known.state) }];
  });
  const localPods = knownPods.filter(({ effects }) => effects.listeners !== "none");
  const netnsByUid = new Map(
    localPods.flatMap(({ workload, netns, effects }) => (effects.delivery ? [[workload.uid, netns]] : [])),
  );
  const slices = slicesByService(mesh.endpointSlices);

  const addressesHere = new Set(localPods.flatMap(({ addresses }) => addresses));
  const isHere = ({ addresses }: Endpoint): boolean => addresses.some((address) => addressesHere.has(address));
  const endpointOwners = new EndpointOwners(alive, owners);

  return {
    mesh,
    node,
    knownPods,
    localPods,
    workloadsByAddress: owners.byAddress,
    contestedAddresses: owners.contested,
    servicesByName: new Map(mesh.services.map((s) => [namespacedName(s.meta.namespace, s.meta.name), s])),
    netnsOf: (workload) => (workload === undefined ? undefined : netnsByUid.get(workload.uid)),
    isServedHere({ meta }) {
      const own = slices.get(namespacedName(meta.namespace, meta.name)) ?? [];
      return own.some(({ endpoints }) => endpoints.some(isHere));
    },
    workloadsBehind({ meta }) {
      const own = slices.get(namespacedName(meta.namespace, meta.name)) ?? [];
      return own.flatMap(({ endpoints }) =>
        endpoints.flatMap((endpoint) =>
          endpoint.addresses.flatMap((address) => endpointOwners.of(endpoint, meta.namespace, address)?.workload ?? []),
        ),
      );
    },
    podPortsBehind(service, port) {
      const own = slices.get(namespacedName(service.meta.namespace, service.meta.name)) ?? [];
      return memory.podPorts.get(port, "", [mesh.workloads, owners, ...own], () =>
        portsOfPods(own, port, endpointOwners),
      );
    },
    backends(service, port, family) {
      const own = slices.get(namespacedName(service.meta.namespace, service.meta.name)) ?? [];
      return memory.backends.get(port, `${family}`, [mesh.workloads, owners, ...own], () =>
        readyBackends(own, port, family, endpointOwners),
      );
    },
  };
}

function portsOfPods(
  slices: readonly EndpointSlice[],
  { name }: ServicePort,
  owners: EndpointOwners,
): readonly ServedPort[] {
  return slices.flatMap(({ meta, ports, endpoints }) => {
    const target = ports.find((candidate) => candidate.name === name);
    if (target === undefined) return [];
    return endpoints.flatMap((endpoint) =>
      endpoint.addresses.flatMap((address) => {
        const pod = owners.of(endpoint, meta.namespace, address)?.workload;
        return pod === undefined ? [] : [{ pod, port: target.port }];
      }),
    );
  });
}

function readyBackends(
  slices: readonly EndpointSlice[],
  port: ServicePort,
  family: IpFamily,
  owners: EndpointOwners,
): readonly Backend[] {
  const found = new Map<string, Backend>();
  for (const slice of slices) {
    const target = slice.ports.find((candidate) => candidate.name === port.name);
    if (target === undefined) continue;
    for (const endpoint of slice.endpoints) {
      if (!endpoint.ready) continue;
      for (const address of endpoint.addresses) {
        if (familyOf(address) !== family) continue;
        const owner = owners.of(endpoint, slice.meta.namespace, address);
        if (owner === undefined) continue;
        found.set(`${address} ${target.port}`, { address, port: target.port, workload: owner.workload });
      }
    }
  }
  return [...found.values()].toSorted((a, b) => compareText(a.address, b.address) || a.port - b.port);
}
