import { anyPack, anyUnpack } from "@bufbuild/protobuf/wkt";
import { throughOwnFilters as rewrite } from "../../compile/clusters/own-filters.ts";
import {
  ClusterLoadAssignmentSchema,
  type ClusterLoadAssignment,
} from "../../xds/gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { create } from "../../xds/proto.ts";
import type { PackedResource } from "./resources.ts";

// Endpoints that rely on no filter of the calling listener, in place of others.

/** The same endpoints, reached through the filters of their own pods. */
export function throughOwnFilters({ name, version, body }: PackedResource): PackedResource {
  const assignment = anyUnpack(body, ClusterLoadAssignmentSchema);
  return assignment === undefined
    ? withoutEndpoints(name)
    : packed(name, `own filters: ${version}`, rewrite(assignment));
}

/** No endpoints: Envoy answers 503 for a cluster that has it, and waits no longer for its endpoints. */
export function withoutEndpoints(name: string): PackedResource {
  return packed(name, "without endpoints", create(ClusterLoadAssignmentSchema, { clusterName: name }));
}

function packed(name: string, version: string, assignment: ClusterLoadAssignment): PackedResource {
  return {
    name,
    version,
    body: anyPack(ClusterLoadAssignmentSchema, assignment),
    needs: [],
    reliesOnFilters: false,
    guardsEndpoints: false,
    isDirect: false,
  };
}
