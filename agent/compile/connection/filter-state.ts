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

/** One object that a listener puts beside each connection it accepts; `value` is an Envoy format string. */
export interface FilterStateObject {
  readonly key: string;
  readonly value: string;
  /** What makes the object. Default `envoy.string`: text, read by filters and logs. */
  readonly factory?: string;
  readonly shared?: Shared;
}

/**
 * The network namespace in which upstream sockets of a connection are opened.
 *
 * It MUST be made by `envoy.hashable_string`: then it is part of the connection pool's key. Made by `envoy.string`, one
 * pod's request goes out over another pod's connection, with that pod's address and certificate. It is also the only
 * hashable object on the connection: the order in which Envoy hashes two of them is not fixed, and each order has a pool.
 */
export function upstreamNetns(path: string, shared: Shared = Shared.TRANSITIVE): FilterStateObject {
  const key = "envoy.network.upstream_bind_override.network_namespace";
  return { key, value: path, factory: "envoy.hashable_string", shared };
}

/** The peer string of the pod whose listener a call came through. */
export const SOURCE = "ambit.source";
/** The peer string of the pod that is called. */
export const DESTINATION = "ambit.destination";
/** The caller's address at connection level: never from a header. */
export const PEER_IP = "ambit.peer_ip";
/** The caller's address as `host:port`, for the delivery socket to bear. */
export const CLIENT = "ambit.client";
/** The application's port. */
export const LOCAL_PORT = "ambit.local_port";

export function setFilterState(objects: readonly FilterStateObject[]): ListenerFilter {
  return create(ListenerFilterSchema, {
    name: "envoy.filters.listener.set_filter_state",
    configType: { case: "typedConfig", value: any(ConfigSchema, { onAccept: objects.map(valueOf) }) },
  });
}

/** What is offered by ALPN upstream, in place of what the cluster says (`envoy.network.application_protocols`). */
export function upstreamAlpn(protocols: readonly string[]): Filter {
  const key = "envoy.network.application_protocols";
  const offered = { key, value: protocols.join(), factory: key, shared: Shared.ONCE };
  return create(FilterSchema, {
    name: "envoy.filters.network.set_filter_state",
    configType: { case: "typedConfig", value: any(NetworkConfigSchema, { onNewConnection: [valueOf(offered)] }) },
  });
}

/**
 * For `local_guard`: where the connection was going, and from whom. Who calls is known after the handshake; without TLS,
 * nobody does.
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
