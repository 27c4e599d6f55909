import {
  ClusterLoadAssignmentSchema,
  type ClusterLoadAssignment,
} from "../../xds/gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { LbEndpointSchema, type LbEndpoint } from "../../xds/gen/envoy/config/endpoint/v3/endpoint_components_pb.ts";
import { MetadataSchema } from "../../xds/gen/envoy/config/core/v3/base_pb.ts";
import { create } from "../../xds/proto.ts";
import { INTERNAL_LISTENERS } from "../view/names.ts";
import { internalAddress } from "./cluster.ts";

/** The same endpoints; those that are delivered to directly pass their own filters first. For HTTP. */
export function throughOwnFilters({ clusterName, endpoints }: ClusterLoadAssignment): ClusterLoadAssignment {
  return create(ClusterLoadAssignmentSchema, {
    clusterName,
    endpoints: endpoints.map(({ lbEndpoints, ...group }) => ({
      ...group,
      lbEndpoints: lbEndpoints.map(endpointThroughOwnFilters),
    })),
  });
}

function endpointThroughOwnFilters(direct: LbEndpoint): LbEndpoint {
  const { hostIdentifier, metadata } = direct;
  const address = hostIdentifier.case === "endpoint" ? hostIdentifier.value.address?.address : undefined;
  if (address?.case !== "envoyInternalAddress") return direct;
  const { addressNameSpecifier, endpointId } = address.value;
  if (addressNameSpecifier.value !== INTERNAL_LISTENERS.deliver) return direct;
  const known = metadata?.filterMetadata ?? {};
  const peer = known["ambit"]?.["peer"];
  const ambit =
    typeof peer === "string" ? { ...known["ambit"], peer: peer.replace(/\|near$/u, "|deliver") } : known["ambit"];
  return create(LbEndpointSchema, {
    hostIdentifier: {
      case: "endpoint",
      value: { address: internalAddress(INTERNAL_LISTENERS.inbound, endpointId) },
    },
    metadata: create(MetadataSchema, { filterMetadata: { ...known, ...(ambit === undefined ? {} : { ambit }) } }),
  });
}
