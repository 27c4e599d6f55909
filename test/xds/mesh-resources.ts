import { Cluster_DiscoveryType, ClusterSchema } from "../../agent/xds/gen/envoy/config/cluster/v3/cluster_pb.ts";
import type { AddressSchema } from "../../agent/xds/gen/envoy/config/core/v3/address_pb.ts";
import { ApiVersion, type ConfigSourceSchema } from "../../agent/xds/gen/envoy/config/core/v3/config_source_pb.ts";
import { ClusterLoadAssignmentSchema } from "../../agent/xds/gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { ListenerSchema } from "../../agent/xds/gen/envoy/config/listener/v3/listener_pb.ts";
import { RouteConfigurationSchema } from "../../agent/xds/gen/envoy/config/route/v3/route_pb.ts";
import { RouterSchema } from "../../agent/xds/gen/envoy/extensions/filters/http/router/v3/router_pb.ts";
import { HttpConnectionManagerSchema } from "../../agent/xds/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import { any, create, milliseconds, type Message, type MessageInitShape } from "../../agent/xds/proto.ts";

const ads: MessageInitShape<typeof ConfigSourceSchema> = {
  configSourceSpecifier: { case: "ads", value: {} },
  resourceApiVersion: ApiVersion.V3,
};

function address(port: number, host = "127.0.0.1"): MessageInitShape<typeof AddressSchema> {
  const portSpecifier = { case: "portValue", value: port } as const;
  return { address: { case: "socketAddress", value: { address: host, portSpecifier } } };
}

/** A cluster whose endpoints come by EDS; `timeoutMs` is something to change. */
export function cluster(name: string, timeoutMs = 1_000): Message {
  return create(ClusterSchema, {
    name,
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: { edsConfig: ads },
    connectTimeout: milliseconds(timeoutMs),
  });
}

export function endpoints(clusterName: string, port: number): Message {
  const hostIdentifier = { case: "endpoint", value: { address: address(port) } } as const;
  return create(ClusterLoadAssignmentSchema, { clusterName, endpoints: [{ lbEndpoints: [{ hostIdentifier }] }] });
}

/** A route table that sends everything to one cluster. */
export function routes(name: string, clusterName: string): Message {
  const match = { pathSpecifier: { case: "prefix", value: "/" } } as const;
  const clusterSpecifier = { case: "cluster", value: clusterName } as const;
  const action = { case: "route", value: { clusterSpecifier } } as const;
  return create(RouteConfigurationSchema, {
    name,
    virtualHosts: [{ name: "all", domains: ["*"], routes: [{ match, action }] }],
  });
}

/** A listener for HTTP whose routes come by RDS. */
export function listener(name: string, port: number, routeConfigName: string, host?: string): Message {
  const manager = any(HttpConnectionManagerSchema, {
    statPrefix: name,
    routeSpecifier: { case: "rds", value: { routeConfigName, configSource: ads } },
    httpFilters: [{ name: "router", configType: { case: "typedConfig", value: any(RouterSchema) } }],
  });
  const filters = [{ name: "http", configType: { case: "typedConfig", value: manager } as const }];
  return create(ListenerSchema, { name, address: address(port, host), filterChains: [{ filters }] });
}

export function byName(...resources: readonly (readonly [string, Message])[]): ReadonlyMap<string, Message> {
  return new Map(resources);
}
