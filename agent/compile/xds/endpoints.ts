import { Remembered } from "../../lib/remember.ts";
import { MetadataSchema } from "../../xds/gen/envoy/config/core/v3/base_pb.ts";
import {
  ClusterLoadAssignmentSchema,
  type ClusterLoadAssignment,
} from "../../xds/gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { LbEndpointSchema, type LbEndpoint } from "../../xds/gen/envoy/config/endpoint/v3/endpoint_components_pb.ts";
import { create } from "../../xds/proto.ts";
import { peerString } from "../filters/peer-string.ts";
import type { PolicySets } from "../filters/policy-sets.ts";
import { hostPort, INTERNAL_LISTENERS } from "../names.ts";
import type { Backend, NodeView } from "../node-view.ts";

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
  return remembered.get(backends, name, [listener, view.node, trustDomain], () =>
    assignment(
      name,
      backends.map((backend) => endpoint(backend, view, listener, trustDomain)),
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
  return remembered.get(backends, name, [view.node, trustDomain, ...guarded], () =>
    assignment(
      name,
      backends
        .filter((_, index) => guarded[index] === false)
        .map((backend) => endpoint(backend, view, INTERNAL_LISTENERS.deliver, trustDomain)),
    ),
  );
}

// A list of backends stays the same list while nothing about its workloads changes (`NodeView.backends`).
const remembered = new Remembered<readonly Backend[], ClusterLoadAssignment>();

function assignment(clusterName: string, lbEndpoints: readonly LbEndpoint[]): ClusterLoadAssignment {
  return create(ClusterLoadAssignmentSchema, {
    clusterName,
    endpoints: lbEndpoints.length === 0 ? [] : [{ lbEndpoints: [...lbEndpoints] }],
  });
}

function endpoint(
  { address, port, workload }: Backend,
  view: NodeView,
  internalListener: string,
  trustDomain: string,
): LbEndpoint {
  const netns = view.netnsOf(workload);
  const target = hostPort(address, port);
  // Only a delivery in this same pass lets the outbound filter speak for the destination, too.
  const near = netns !== undefined && internalListener === INTERNAL_LISTENERS.deliver;
  const peer = workload === undefined ? {} : { peer: `${peerString(workload, trustDomain)}|${near ? "near" : "far"}` };
  if (netns === undefined) {
    return create(LbEndpointSchema, {
      hostIdentifier: {
        case: "endpoint",
        value: {
          address: {
            address: { case: "socketAddress", value: { address, portSpecifier: { case: "portValue", value: port } } },
          },
        },
      },
      ...(workload === undefined ? {} : { metadata: create(MetadataSchema, { filterMetadata: { ambit: peer } }) }),
    });
  }
  return create(LbEndpointSchema, {
    hostIdentifier: {
      case: "endpoint",
      value: {
        address: {
          address: {
            case: "envoyInternalAddress",
            value: {
              addressNameSpecifier: { case: "serverListenerName", value: internalListener },
              endpointId: target,
            },
          },
        },
      },
    },
    metadata: create(MetadataSchema, {
      filterMetadata: {
        "envoy.filters.listener.original_dst": { local: target },
        ambit: { netns, ...peer },
      },
    }),
  });
}
