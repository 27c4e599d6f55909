import type { DescMessage, Message } from "@bufbuild/protobuf";
import { ClusterSchema } from "./gen/envoy/config/cluster/v3/cluster_pb.ts";
import { TypedExtensionConfigSchema } from "./gen/envoy/config/core/v3/extension_pb.ts";
import { ClusterLoadAssignmentSchema } from "./gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { ListenerSchema } from "./gen/envoy/config/listener/v3/listener_pb.ts";
import { RouteConfigurationSchema } from "./gen/envoy/config/route/v3/route_pb.ts";
import { SecretSchema } from "./gen/envoy/extensions/transport_sockets/tls/v3/secret_pb.ts";
import { RuntimeSchema } from "./gen/envoy/service/runtime/v3/rtds_pb.ts";
import { create, typeUrl } from "./proto.ts";

/**
 * The resources for Envoy, by type and name. A published message must not be changed. Endpoints, secrets and
 * on-demand clusters are sent only when Envoy asks for them, and may be made when they are looked up.
 */
export interface XdsSnapshot {
  readonly listeners: ReadonlyMap<string, Message>;
  readonly clusters: ReadonlyMap<string, Message>;
  /** Clusters that Envoy asks for by name (ODCDS). It is told of `clusters` without asking. */
  readonly onDemandClusters: ReadonlyMap<string, Message>;
  readonly routes: ReadonlyMap<string, Message>;
  readonly endpoints: ReadonlyMap<string, Message>;
  /** undefined: the secret is not there yet. Envoy gets no answer and keeps the one that it has. */
  readonly secrets: ReadonlyMap<string, Message | undefined>;
  readonly extensions: ReadonlyMap<string, Message>;
  /** Envoy's runtime settings, under the one name `RUNTIME`. An Envoy waits for them when it starts. */
  readonly runtime: ReadonlyMap<string, Message>;
}

/** The bootstrap names this layer of runtime settings (RTDS). */
export const RUNTIME = "ambit";

export type ResourceKind = Exclude<keyof XdsSnapshot, "onDemandClusters">;

export const KINDS: readonly ResourceKind[] = [
  "runtime",
  "clusters",
  "endpoints",
  "secrets",
  "extensions",
  "listeners",
  "routes",
];

export const EMPTY_SNAPSHOT: XdsSnapshot = {
  listeners: new Map(),
  clusters: new Map(),
  onDemandClusters: new Map(),
  routes: new Map(),
  endpoints: new Map(),
  secrets: new Map(),
  extensions: new Map(),
  runtime: new Map([[RUNTIME, create(RuntimeSchema, { name: RUNTIME })]]),
};

/** The message type of each kind. */
export const SCHEMAS: Readonly<Record<ResourceKind, DescMessage>> = {
  listeners: ListenerSchema,
  clusters: ClusterSchema,
  routes: RouteConfigurationSchema,
  endpoints: ClusterLoadAssignmentSchema,
  secrets: SecretSchema,
  extensions: TypedExtensionConfigSchema,
  runtime: RuntimeSchema,
};

const KIND_BY_URL = new Map(KINDS.map((kind) => [typeUrl(SCHEMAS[kind]), kind]));

/** The kind with that type URL; undefined: Ambit serves none such. */
export function kindOf(url: string): ResourceKind | undefined {
  return KIND_BY_URL.get(url);
}

export function urlOf(kind: ResourceKind): string {
  return typeUrl(SCHEMAS[kind]);
}
