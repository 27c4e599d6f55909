import type { DescMessage, Message } from "@bufbuild/protobuf";
import { ClusterSchema } from "./gen/envoy/config/cluster/v3/cluster_pb.ts";
import { TypedExtensionConfigSchema } from "./gen/envoy/config/core/v3/extension_pb.ts";
import { ClusterLoadAssignmentSchema } from "./gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { ListenerSchema } from "./gen/envoy/config/listener/v3/listener_pb.ts";
import { RouteConfigurationSchema } from "./gen/envoy/config/route/v3/route_pb.ts";
import { SecretSchema } from "./gen/envoy/extensions/transport_sockets/tls/v3/secret_pb.ts";
import { typeUrl } from "./proto.ts";

/**
 * What Envoy is to be told, by resource type and name. A message must not be changed once it has been published. What is
 * only sent when it is asked for (endpoints, secrets, clusters on demand) may be made when it is looked up.
 */
export interface XdsSnapshot {
  readonly listeners: ReadonlyMap<string, Message>;
  readonly clusters: ReadonlyMap<string, Message>;
  /** Clusters that Envoy is told of once it asks for them by name (ODCDS); those above come by themselves. */
  readonly onDemandClusters: ReadonlyMap<string, Message>;
  readonly routes: ReadonlyMap<string, Message>;
  readonly endpoints: ReadonlyMap<string, Message>;
  /** undefined: not there yet. Envoy, told nothing, keeps what it has. */
  readonly secrets: ReadonlyMap<string, Message | undefined>;
  readonly extensions: ReadonlyMap<string, Message>;
}

export type ResourceKind = Exclude<keyof XdsSnapshot, "onDemandClusters">;

export const KINDS: readonly ResourceKind[] = ["clusters", "endpoints", "secrets", "extensions", "listeners", "routes"];

export const EMPTY_SNAPSHOT: XdsSnapshot = {
  listeners: new Map(),
  clusters: new Map(),
  onDemandClusters: new Map(),
  routes: new Map(),
  endpoints: new Map(),
  secrets: new Map(),
  extensions: new Map(),
};

/** The message type behind each kind. */
export const SCHEMAS: Readonly<Record<ResourceKind, DescMessage>> = {
  listeners: ListenerSchema,
  clusters: ClusterSchema,
  routes: RouteConfigurationSchema,
  endpoints: ClusterLoadAssignmentSchema,
  secrets: SecretSchema,
  extensions: TypedExtensionConfigSchema,
};

const KIND_BY_URL = new Map(KINDS.map((kind) => [typeUrl(SCHEMAS[kind]), kind]));

/** The kind that a type URL of the protocol names, if it is one of ours. */
export function kindOf(url: string): ResourceKind | undefined {
  return KIND_BY_URL.get(url);
}

export function urlOf(kind: ResourceKind): string {
  return typeUrl(SCHEMAS[kind]);
}
