import { any, create } from "../../xds/proto.ts";
import {
  FilterSchema,
  ListenerFilterSchema,
  type Filter,
  type ListenerFilter,
} from "../../xds/gen/envoy/config/listener/v3/listener_components_pb.ts";
import {
  FilterStateValue_SharedWithUpstream as Shared,
  FilterStateValueSchema,
} from "../../xds/gen/envoy/extensions/filters/common/set_filter_state/v3/value_pb.ts";
import { ConfigSchema as NetworkConfigSchema } from "../../xds/gen/envoy/extensions/filters/network/set_filter_state/v3/set_filter_state_pb.ts";
import { ConfigSchema } from "../../xds/gen/envoy/extensions/filters/listener/set_filter_state/v3/set_filter_state_pb.ts";

/**
 * A filter state object: a listener attaches it to each connection that it accepts. `value`: an Envoy format string.
 */
export interface FilterStateObject {
  readonly key: string;
  readonly value: string;
  /** Envoy's factory for the object. Default `envoy.string`: text, for filters and logs. */
  readonly factory?: string;
  readonly shared?: Shared;
}

/**
 * Envoy opens the upstream sockets of the connection in this network namespace. `path`: the namespace's file.
 *
 * The factory MUST be `envoy.hashable_string`, which makes the namespace part of the connection pool's key. With
 * `envoy.string` one pod's request goes out over another pod's connection, with that pod's address and certificate. It
 * must also stay the only hashable object on the connection: Envoy hashes two of them in no fixed order, and each order
 * would have a pool of its own.
 */
export function upstreamNetns(path: string, shared: Shared = Shared.TRANSITIVE): FilterStateObject {
  const key = "envoy.network.upstream_bind_override.network_namespace";
  return { key, value: path, factory: "envoy.hashable_string", shared };
}

/** Peer string of the pod through whose outbound listener a call came. */
export const SOURCE = "ambit.source";
/** Peer string of the called pod. */
export const DESTINATION = "ambit.destination";
/** The caller's address as the connection shows it, never from a header. */
export const PEER_IP = "ambit.peer_ip";
/** The caller's address as `host:port`: the delivery socket binds to it. */
export const CLIENT = "ambit.client";
/** The application's port. */
export const LOCAL_PORT = "ambit.local_port";

export function setFilterState(objects: readonly FilterStateObject[]): ListenerFilter {
  return create(ListenerFilterSchema, {
    name: "envoy.filters.listener.set_filter_state",
    configType: { case: "typedConfig", value: any(ConfigSchema, { onAccept: objects.map(valueOf) }) },
  });
}

/**
 * Upstream connections offer these protocols by ALPN in place of the cluster's (`envoy.network.application_protocols`).
 */
export function upstreamAlpn(protocols: readonly string[]): Filter {
  const key = "envoy.network.application_protocols";
  const offered = { key, value: protocols.join(), factory: key, shared: Shared.ONCE };
  return create(FilterSchema, {
    name: "envoy.filters.network.set_filter_state",
    configType: { case: "typedConfig", value: any(NetworkConfigSchema, { onNewConnection: [valueOf(offered)] }) },
  });
}

/**
 * For `local_guard`: the original destination of the connection, and its caller. The TLS handshake identifies the
 * caller; without TLS (`tls` false) the caller is unknown.
 */
export function guardState(tls: boolean): Filter {
  const local = "envoy.filters.listener.original_dst.local_ip";
  const once = Shared.ONCE;
  const caller = "%DOWNSTREAM_PEER_URI_SAN%|%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%";
  return create(FilterSchema, {
    name: "envoy.filters.network.set_filter_state",
    configType: {
      case: "typedConfig",
      value: any(NetworkConfigSchema, {
        onNewConnection: [
          valueOf({ key: local, value: "%DOWNSTREAM_LOCAL_ADDRESS%", factory: local, shared: once }),
          valueOf({ key: CLIENT, value: "%DOWNSTREAM_REMOTE_ADDRESS%", shared: once }),
        ],
        onDownstreamTlsHandshake: tls ? [valueOf({ key: SOURCE, value: caller, shared: once })] : [],
      }),
    },
  });
}

function valueOf({ key, value, factory = "envoy.string", shared = Shared.TRANSITIVE }: FilterStateObject) {
  return create(FilterStateValueSchema, {
    key: { case: "objectKey", value: key },
    factoryKey: factory,
    sharedWithUpstream: shared,
    value: {
      case: "formatString",
      value: { format: { case: "textFormatSource", value: { specifier: { case: "inlineString", value } } } },
    },
  });
}
