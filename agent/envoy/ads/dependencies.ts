import type { Message } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Cluster_DiscoveryType, ClusterSchema } from "../../xds/gen/envoy/config/cluster/v3/cluster_pb.ts";
import { DIRECT, FILTERS, INTERNAL_LISTENERS, tcpEndpointsName } from "../../compile/view/names.ts";
import { TypedExtensionConfigSchema } from "../../xds/gen/envoy/config/core/v3/extension_pb.ts";
import { ClusterLoadAssignmentSchema } from "../../xds/gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { ListenerSchema, type Listener } from "../../xds/gen/envoy/config/listener/v3/listener_pb.ts";
import { DownstreamTlsContextSchema } from "../../xds/gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.ts";
import { HttpConnectionManagerSchema } from "../../xds/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import { isMessage } from "../../xds/proto.ts";
import type { ResourceKind } from "../../xds/snapshot.ts";

/** A resource that Envoy requests because of another one. The other one does not work before Envoy has it. */
export interface Need {
  readonly kind: ResourceKind;
  readonly name: string;
}

/** What Envoy will request once it has this resource: endpoints of a cluster; routes, filters and secrets of a listener. */
export function needsOf(message: Message): readonly Need[] {
  if (isMessage(message, ClusterSchema)) {
    if (message.clusterDiscoveryType.value !== Cluster_DiscoveryType.EDS) return [];
    return [{ kind: "endpoints", name: message.edsClusterConfig?.serviceName || message.name }];
  }
  return isMessage(message, ListenerSchema) ? [...listenerNeeds(message)] : [];
}

/**
 * True for endpoints for HTTP that are delivered to without passing their own inbound listener's policy. For other bytes the
 * filters of the calling listener never decide.
 */
export function reliesOnFilters(message: Message): boolean {
  if (!isMessage(message, ClusterLoadAssignmentSchema) || message.clusterName.startsWith(TCP)) return false;
  return message.endpoints.some(({ lbEndpoints }) =>
    lbEndpoints.some(({ hostIdentifier }) => {
      const address = hostIdentifier.case === "endpoint" ? hostIdentifier.value.address?.address : undefined;
      if (address?.case !== "envoyInternalAddress") return false;
      return address.value.addressNameSpecifier.value === INTERNAL_LISTENERS.deliver;
    }),
  );
}

const TCP = tcpEndpointsName("");

/** True for a filter that decides for endpoints which rely on filters: one of the calling listener. */
export function guardsEndpoints(message: Message): boolean {
  if (!isMessage(message, TypedExtensionConfigSchema)) return false;
  return message.name === FILTERS.outbound.resource || message.name === FILTERS.outboundRouted.resource;
}

/** True for a cluster of a pod that was dialled by its own address. */
export function isDirect(message: Message): boolean {
  return isMessage(message, ClusterSchema) && message.altStatName === DIRECT;
}

function* listenerNeeds(listener: Listener): Generator<Need> {
  for (const filter of listener.listenerFilters) {
    if (filter.configType.case === "configDiscovery") yield { kind: "extensions", name: filter.name };
  }
  const chains = [...listener.filterChains, ...(listener.defaultFilterChain ? [listener.defaultFilterChain] : [])];
  const secrets = chains.flatMap(({ transportSocket }) => {
    const { configType } = transportSocket ?? {};
    const tls =
      configType?.case === "typedConfig" ? anyUnpack(configType.value, DownstreamTlsContextSchema) : undefined;
    const { tlsCertificateSdsSecretConfigs = [], validationContextType: peers } = tls?.commonTlsContext ?? {};
    const of = tlsCertificateSdsSecretConfigs.map(({ name }) => name);
    return peers?.case === "validationContextSdsSecretConfig" ? [...of, peers.value.name] : of;
  });
  for (const name of new Set(secrets)) yield { kind: "secrets", name };
  for (const filter of chains.flatMap((chain) => chain.filters)) {
    if (filter.configType.case === "configDiscovery") yield { kind: "extensions", name: filter.name };
    if (filter.configType.case !== "typedConfig") continue;
    const manager = anyUnpack(filter.configType.value, HttpConnectionManagerSchema);
    if (manager === undefined) continue;
    if (manager.routeSpecifier.case === "rds") {
      yield { kind: "routes", name: manager.routeSpecifier.value.routeConfigName };
    }
    for (const httpFilter of manager.httpFilters) {
      if (httpFilter.configType.case === "configDiscovery") yield { kind: "extensions", name: httpFilter.name };
    }
  }
}
