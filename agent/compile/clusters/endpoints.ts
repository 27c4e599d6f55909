import { Remembered } from "../../lib/remember.ts";
import type { Workload } from "../../model/workload.ts";
import { MetadataSchema } from "../../xds/gen/envoy/config/core/v3/base_pb.ts";
import {
  ClusterLoadAssignmentSchema,
  type ClusterLoadAssignment,
} from "../../xds/gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { LbEndpointSchema, type LbEndpoint } from "../../xds/gen/envoy/config/endpoint/v3/endpoint_components_pb.ts";
import { create, type JsonObject } from "../../xds/proto.ts";
import { peerString } from "../filters/peer-string.ts";
import type { NodeMtls } from "../mtls/node-mtls.ts";
import type { PolicySets } from "../filters/policy-sets.ts";
import type { DirectTarget } from "../view/direct.ts";
import { hostPort, INTERNAL_LISTENERS } from "../view/names.ts";
import type { Backend, NodeView } from "../view/node-view.ts";
import type { PodPorts } from "../view/pod-ports.ts";
import { internalAddress, MTLS_MATCH } from "./cluster.ts";

/** Makes the ClusterLoadAssignment of that name: the endpoints of one cluster. */
type MakeEndpoints = (name: string, backends: readonly Backend[]) => ClusterLoadAssignment;

export interface EndpointMakers {
  /** Endpoints for HTTP. */
  readonly http: MakeEndpoints;
  /** Endpoints for connections whose bytes the caller's side has not read as HTTP. `looked`: it has looked for HTTP. */
  readonly tcp: (name: string, backends: readonly Backend[], looked: boolean) => ClusterLoadAssignment;
  /** Endpoints for a pod that callers dial by its own address. */
  readonly direct: (name: string, kind: "http" | "tcp", target: DirectTarget) => ClusterLoadAssignment;
}

/** Earlier results; each is used again while its inputs are the same. */
export interface EndpointMemory {
  /** By list of backends: `NodeView.backends` gives the same list while nothing about its workloads changes. */
  readonly assignments: Remembered<readonly Backend[], ClusterLoadAssignment>;
  /** By workload: the list that holds this pod alone, for callers that dial the pod by its own address. */
  readonly ofPods: Remembered<Workload, readonly Backend[]>;
}

export function newEndpointMemory(): EndpointMemory {
  return { assignments: new Remembered(), ofPods: new Remembered() };
}

/** The name of the internal listener that leads to a backend, if it is on this node. */
type WayIn = (backend: Backend) => string;

/** Given all backends of a cluster, and its name. */
type WaysIn = (backends: readonly Backend[], cluster: string) => WayIn;

const NO_PORTS: PodPorts = { http: [], tcp: [] };

export function endpointMakers(
  view: NodeView,
  mtls: NodeMtls,
  policies: PolicySets,
  portsOf: (uid: string) => PodPorts,
  trustDomain: string,
  memory: EndpointMemory,
): EndpointMakers {
  const { deliver, guard, inbound, detect } = INTERNAL_LISTENERS;
  const maker =
    (waysIn: WaysIn): MakeEndpoints =>
    (name, backends) => {
      const wayIn = waysIn(backends, name);
      const reached = backends.map((backend) => ({ backend, wire: wireOf(backend, view, mtls, wayIn) }));
      const depends = [trustDomain, ...reached.map(({ wire }) => wireKey(wire))];
      return memory.assignments.get(backends, name, depends, () => assignment(name, reached, trustDomain));
    };
  const bytes: WayIn = ({ workload }) => (policies.decidingSetOf(workload) === undefined ? deliver : guard);
  /**
   * A pod's own namespace says what the pod's port speaks (`PodPorts`), and calls from other nodes are treated so. The Service
   * that was called may be of another namespace and say something else, which must not be a way around the pod's filters.
   */
  const spoken = ({ workload, port }: Backend): keyof PodPorts | "unknown" => {
    const { http, tcp } = workload?.enrolled === true ? portsOf(workload.uid) : NO_PORTS;
    if (http.includes(port)) return "http";
    return tcp.includes(port) ? "tcp" : "unknown";
  };
  const tcpWaysIn = (unknown: WayIn): WaysIn => {
    const wayIn: WayIn = (backend) => {
      const protocol = spoken(backend);
      if (protocol === "http") return inbound;
      return protocol === "tcp" || backend.workload?.enrolled !== true ? bytes(backend) : unknown(backend);
    };
    return () => wayIn;
  };
  const tcpUnread = maker(tcpWaysIn(() => detect));
  const tcpRead = maker(tcpWaysIn(bytes));
  // The filters of the caller do not know which policies guard this pod: the pod's own inbound filters decide.
  const directHttp = maker(
    () =>
      ({ workload }) =>
        policies.setOf(workload) === undefined ? deliver : inbound,
  );
  return {
    // If one set of policies guards all backends, the outbound filter decides, and one pass delivers; see `local_inbound`.
    http: maker((backends, cluster) => {
      const listener = policies.guardOf({ cluster, backends }).kind === "mixed" ? inbound : deliver;
      return (backend) => (spoken(backend) === "tcp" ? bytes(backend) : listener);
    }),
    tcp: (name, backends, looked) => (looked ? tcpRead : tcpUnread)(name, backends),
    direct: (name, kind, { workload, address, port }) =>
      (kind === "http" ? directHttp : tcpRead)(
        name,
        memory.ofPods.get(workload, hostPort(address, port), [], () => [{ address, port, workload }]),
      ),
  };
}

/** The way to a backend: inside its network namespace on this node, or over the network, by mTLS or in plaintext. */
type Wire =
  | { readonly kind: "deliver"; readonly netns: string; readonly listener: string }
  | { readonly kind: "mtls" }
  | { readonly kind: "plain" };

function wireOf(backend: Backend, view: NodeView, mtls: NodeMtls, wayIn: (backend: Backend) => string): Wire {
  const { port, workload } = backend;
  const netns = view.netnsOf(workload);
  if (netns !== undefined) return { kind: "deliver", netns, listener: wayIn(backend) };
  return mtls.speaksMtls(workload, port) ? { kind: "mtls" } : { kind: "plain" };
}

function wireKey(wire: Wire): string {
  return wire.kind === "deliver" ? `${wire.listener} ${wire.netns}` : wire.kind;
}

interface Reached {
  readonly backend: Backend;
  readonly wire: Wire;
}

/**
 * Each kind of wire is a locality of its own. When an endpoint's locality changes, Envoy treats it as another endpoint
 * and drains the connections to the old one. A change of the metadata alone would leave connections of the old wire in
 * use.
 */
function assignment(clusterName: string, reached: readonly Reached[], trustDomain: string): ClusterLoadAssignment {
  const endpoints = (["deliver", "mtls", "plain"] as const).flatMap((kind) => {
    const own = reached.filter(({ wire }) => wire.kind === kind);
    if (own.length === 0) return [];
    return [{ locality: { subZone: kind }, lbEndpoints: own.map((each) => endpoint(each, trustDomain)) }];
  });
  return create(ClusterLoadAssignmentSchema, { clusterName, endpoints });
}

function endpoint({ backend: { address, port, workload }, wire }: Reached, trustDomain: string): LbEndpoint {
  const target = hostPort(address, port);
  // Only if this same pass delivers may the outbound filter report for the destination, too.
  const near = wire.kind === "deliver" && !FILTERED.includes(wire.listener);
  const peer =
    workload === undefined ? {} : { peer: `${peerString(workload, trustDomain)}|${near ? "near" : wire.kind}` };
  if (wire.kind === "deliver") {
    return create(LbEndpointSchema, {
      hostIdentifier: { case: "endpoint", value: { address: internalAddress(wire.listener, target) } },
      metadata: create(MetadataSchema, {
        filterMetadata: {
          "envoy.filters.listener.original_dst": { local: target },
          ambit: { netns: wire.netns, ...peer },
        },
      }),
    });
  }
  const mtls: Record<string, JsonObject> = wire.kind === "mtls" ? { [TRANSPORT_SOCKET]: { [MTLS_MATCH]: true } } : {};
  return create(LbEndpointSchema, {
    hostIdentifier: {
      case: "endpoint",
      value: {
        address: {
          address: { case: "socketAddress", value: { address, portSpecifier: { case: "portValue", value: port } } },
        },
      },
    },
    ...(workload === undefined
      ? {}
      : { metadata: create(MetadataSchema, { filterMetadata: { ...mtls, ambit: peer } }) }),
  });
}

/** The destination's own filters stand in these. */
const FILTERED: readonly string[] = [INTERNAL_LISTENERS.inbound, INTERNAL_LISTENERS.detect];

/** Key of the endpoint metadata by which Envoy chooses among a cluster's `transport_socket_matches`. */
const TRANSPORT_SOCKET = "envoy.transport_socket_match";
