import { Remembered } from "../../lib/remember.ts";
import { MetadataSchema } from "../../xds/gen/envoy/config/core/v3/base_pb.ts";
import {
  ClusterLoadAssignmentSchema,
  type ClusterLoadAssignment,
} from "../../xds/gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { LbEndpointSchema, type LbEndpoint } from "../../xds/gen/envoy/config/endpoint/v3/endpoint_components_pb.ts";
import { create, type JsonObject } from "../../xds/proto.ts";
import { peerString } from "../filters/peer-string.ts";
import type { PolicySets } from "../filters/policy-sets.ts";
import { hostPort, INTERNAL_LISTENERS } from "../names.ts";
import type { Backend, NodeView } from "../node-view.ts";
import { internalAddress, MTLS_MATCH } from "./cluster.ts";

/** Endpoints for HTTP. A backend here is delivered in the same pass if all backends are guarded alike; see `local_inbound`. */
export function httpEndpoints(
  name: string,
  backends: readonly Backend[],
  view: NodeView,
  policies: PolicySets,
  trustDomain: string,
): ClusterLoadAssignment {
  const isMixed = policies.guardOf({ backends }).kind === "mixed";
  return through(isMixed ? INTERNAL_LISTENERS.inbound : INTERNAL_LISTENERS.deliver, name, backends, view, trustDomain);
}

/** Of a pod that is dialled by its own address: the filters are not told which policies guard it, so it decides itself. */
export function directEndpoints(
  name: string,
  backends: readonly Backend[],
  view: NodeView,
  policies: PolicySets,
  trustDomain: string,
): ClusterLoadAssignment {
  const isGuarded = backends.some(({ workload }) => policies.setOf(workload) !== undefined);
  return through(
    isGuarded ? INTERNAL_LISTENERS.inbound : INTERNAL_LISTENERS.deliver,
    name,
    backends,
    view,
    trustDomain,
  );
}

function through(
  listener: string,
  name: string,
  backends: readonly Backend[],
  view: NodeView,
  trustDomain: string,
): ClusterLoadAssignment {
  const reached = backends.map((backend) => ({ backend, wire: wireOf(backend, view) }));
  const depends = [listener, view.node, trustDomain, ...reached.map(({ wire }) => wireKey(wire))];
  return remembered.get(backends, name, depends, () => assignment(name, reached, () => listener, trustDomain));
}

/** Endpoints for bytes that are not HTTP. A guarded backend here is reached through `local_guard`. */
export function tcpEndpoints(
  name: string,
  backends: readonly Backend[],
  view: NodeView,
  policies: PolicySets,
  trustDomain: string,
): ClusterLoadAssignment {
  const reached = backends.map((backend) => ({ backend, wire: wireOf(backend, view) }));
  const listeners = backends.map(({ workload }) =>
    policies.decidingSetOf(workload) === undefined ? INTERNAL_LISTENERS.deliver : INTERNAL_LISTENERS.guard,
  );
  const depends = [view.node, trustDomain, ...listeners, ...reached.map(({ wire }) => wireKey(wire))];
  return remembered.get(backends, name, depends, () =>
    assignment(name, reached, (index) => listeners[index] ?? INTERNAL_LISTENERS.guard, trustDomain),
  );
}

/** How a backend is reached: inside its netns on this node, or over the network, by mTLS or as it comes. */
type Wire =
  { readonly kind: "deliver"; readonly netns: string } | { readonly kind: "mtls" } | { readonly kind: "plain" };

function wireOf({ port, workload }: Backend, view: NodeView): Wire {
  const netns = view.netnsOf(workload);
  if (netns !== undefined) return { kind: "deliver", netns };
  return view.speaksMtls(workload, port) ? { kind: "mtls" } : { kind: "plain" };
}

function wireKey(wire: Wire): string {
  return wire.kind === "deliver" ? wire.netns : wire.kind;
}

// A list of backends stays the same list while nothing about its workloads changes (`NodeView.backends`).
const remembered = new Remembered<readonly Backend[], ClusterLoadAssignment>();

interface Reached {
  readonly backend: Backend;
  readonly wire: Wire;
}

/**
 * Each wire is a locality of its own. Envoy takes an endpoint whose locality has changed for another one, and drains the
 * connections to the one before; where only metadata changes, it would go on with the connections of the wire before.
 */
function assignment(
  clusterName: string,
  reached: readonly Reached[],
  /** The way into a backend of this node, by its index. */
  listenerOf: (index: number) => string,
  trustDomain: string,
): ClusterLoadAssignment {
  const made = reached.map((each, index) => ({
    kind: each.wire.kind,
    made: endpoint(each, listenerOf(index), trustDomain),
  }));
  const groups = (["deliver", "mtls", "plain"] as const).flatMap((kind) => {
    const own = made.filter((each) => each.kind === kind).map((each) => each.made);
    return own.length === 0 ? [] : [{ kind, own }];
  });
  return create(ClusterLoadAssignmentSchema, {
    clusterName,
    endpoints: groups.map(({ kind, own }) => ({
      locality: { subZone: kind },
      lbEndpoints: own,
    })),
  });
}

function endpoint(
  { backend: { address, port, workload }, wire }: Reached,
  internalListener: string,
  trustDomain: string,
): LbEndpoint {
  const target = hostPort(address, port);
  // Only a delivery in this same pass lets the outbound filter speak for the destination, too.
  const near = wire.kind === "deliver" && internalListener !== INTERNAL_LISTENERS.inbound;
  const peer =
    workload === undefined ? {} : { peer: `${peerString(workload, trustDomain)}|${near ? "near" : wire.kind}` };
  if (wire.kind === "deliver") {
    return create(LbEndpointSchema, {
      hostIdentifier: { case: "endpoint", value: { address: internalAddress(internalListener, target) } },
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

/** By it Envoy chooses among a cluster's `transport_socket_matches`. */
const TRANSPORT_SOCKET = "envoy.transport_socket_match";
