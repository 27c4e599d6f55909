import { Remembered } from "../../lib/remember.ts";
import { AddressSchema } from "../../xds/gen/envoy/config/core/v3/address_pb.ts";
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
import { MTLS_MATCH } from "./cluster.ts";

/** Endpoints for HTTP. A backend here is delivered in the same pass if all backends are guarded alike; see `local_inbound`. */
export function httpEndpoints(
  name: string,
  backends: readonly Backend[],
  view: NodeView,
  policies: PolicySets,
  trustDomain: string,
): ClusterLoadAssignment {
  const listener =
    policies.guardOf({ backends }).kind === "mixed" ? INTERNAL_LISTENERS.inbound : INTERNAL_LISTENERS.deliver;
  const wires = backends.map((backend) => wireOf(backend, view));
  return remembered.get(backends, name, [listener, view.node, trustDomain, ...wires.map(wireKey)], () =>
    assignment(
      name,
      backends.map((backend, index) => ({ backend, wire: wires[index] ?? PLAIN })),
      listener,
      trustDomain,
    ),
  );
}

/** Endpoints for bytes that are not HTTP: without those that a policy guards, as it could not be decided for them. */
export function tcpEndpoints(
  name: string,
  backends: readonly Backend[],
  view: NodeView,
  policies: PolicySets,
  trustDomain: string,
): ClusterLoadAssignment {
  const guarded = backends.map(({ workload }) => policies.decidingSetOf(workload) !== undefined);
  const wires = backends.map((backend) => wireOf(backend, view));
  return remembered.get(backends, name, [view.node, trustDomain, ...guarded, ...wires.map(wireKey)], () =>
    assignment(
      name,
      backends
        .map((backend, index) => ({ backend, wire: wires[index] ?? PLAIN }))
        .filter(({ wire }, index) => wire.kind !== "deliver" || guarded[index] === false),
      INTERNAL_LISTENERS.deliver,
      trustDomain,
    ),
  );
}

/** How a backend is reached: inside its netns on this node, or over the network, by mTLS or as it comes. */
type Wire =
  { readonly kind: "deliver"; readonly netns: string } | { readonly kind: "mtls" } | { readonly kind: "plain" };

const PLAIN: Wire = { kind: "plain" };

function wireOf({ port, workload }: Backend, view: NodeView): Wire {
  const netns = view.netnsOf(workload);
  if (netns !== undefined) return { kind: "deliver", netns };
  return view.speaksMtls(workload, port) ? { kind: "mtls" } : PLAIN;
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
  internalListener: string,
  trustDomain: string,
): ClusterLoadAssignment {
  const groups = (["deliver", "mtls", "plain"] as const).flatMap((kind) => {
    const own = reached.filter(({ wire }) => wire.kind === kind);
    return own.length === 0 ? [] : [{ kind, own }];
  });
  return create(ClusterLoadAssignmentSchema, {
    clusterName,
    endpoints: groups.map(({ kind, own }) => ({
      locality: { subZone: kind },
      lbEndpoints: own.map((each) => endpoint(each, internalListener, trustDomain)),
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
  const near = wire.kind === "deliver" && internalListener === INTERNAL_LISTENERS.deliver;
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

function internalAddress(serverListenerName: string, endpointId: string) {
  return create(AddressSchema, {
    address: {
      case: "envoyInternalAddress",
      value: { addressNameSpecifier: { case: "serverListenerName", value: serverListenerName }, endpointId },
    },
  });
}
