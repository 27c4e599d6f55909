import type { StreamRequest } from "../../agent/envoy/ads/ads-stream.ts";
import { create } from "../../agent/xds/proto.ts";
import { any, AnySchema } from "../../agent/xds/proto.ts";
import { ClusterLoadAssignmentSchema } from "../../agent/xds/gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import type { PackedResource, PackedSnapshot } from "../../agent/envoy/ads/resources.ts";
import { KINDS, type ResourceKind } from "../../agent/xds/snapshot.ts";

/** Versions by name, for each kind; what is left out has none. */
export type Versions = Partial<Readonly<Record<ResourceKind, Readonly<Record<string, string>>>>>;

/**
 * A snapshot of made-up resources; a cluster needs the endpoints, a listener the route and filter, of its own name. Endpoints
 * whose version begins with "direct" rely on filters.
 */
export function snapshot(versions: Versions): PackedSnapshot {
  const entries = KINDS.map((kind) => {
    const resources = Object.entries(versions[kind] ?? {});
    return [kind, new Map(resources.map(([name, version]) => [name, resource(kind, name, version)]))] as const;
  });
  return Object.fromEntries(entries) as unknown as PackedSnapshot;
}

function resource(kind: ResourceKind, name: string, version: string): PackedResource {
  const needs: Partial<Record<ResourceKind, readonly ResourceKind[]>> = {
    clusters: ["endpoints"],
    listeners: ["routes", "extensions"],
  };
  const body =
    kind === "endpoints"
      ? any(ClusterLoadAssignmentSchema, { clusterName: name })
      : create(AnySchema, { typeUrl: kind, value: new Uint8Array(8) });
  const reliesOnFilters = kind === "endpoints" && version.startsWith("direct");
  return {
    name,
    version,
    body,
    needs: (needs[kind] ?? []).map((to) => ({ kind: to, name })),
    reliesOnFilters,
    guardsEndpoints: kind === "extensions",
    isDirect: false,
  };
}

/** A request that says nothing yet. */
export function request(kind: ResourceKind, changes: Partial<StreamRequest> = {}): StreamRequest {
  return { kind, subscribe: [], unsubscribe: [], initialVersions: {}, nonce: "", error: undefined, ...changes };
}
