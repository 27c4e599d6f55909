import type { AccessLog } from "../../xds/gen/envoy/config/accesslog/v3/accesslog_pb.ts";
import { FilterSchema, type Filter } from "../../xds/gen/envoy/config/listener/v3/listener_components_pb.ts";
import { FilterStateValue_SharedWithUpstream as Shared } from "../../xds/gen/envoy/extensions/filters/common/set_filter_state/v3/value_pb.ts";
import {
  TcpProxySchema,
  UpstreamConnectMode,
} from "../../xds/gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.ts";
import { WasmSchema } from "../../xds/gen/envoy/extensions/filters/network/wasm/v3/wasm_pb.ts";
import { any, create, milliseconds, typeUrl } from "../../xds/proto.ts";
import { FILTERS } from "../view/names.ts";
import type { AccessLogs } from "../connection/access-log.ts";
import { ads, tcpOnDemand } from "../connection/discovery.ts";
import type { FilterStateObject } from "../connection/filter-state.ts";

/** tcp_proxy takes the cluster of the original destination (`tcpDestinationName`) in place of its configured one. */
export function tcpClusterByDestination(): FilterStateObject {
  const key = "envoy.tcp_proxy.cluster";
  // Not shared: the tcp_proxy of the internal listener would choose the same cluster again, in a loop that ends Envoy.
  return { key, value: "tcp|%DOWNSTREAM_LOCAL_ADDRESS%", factory: key, shared: Shared.NONE };
}

/** The L4 part of the path: telemetry, then the bytes, unchanged. */
export function tcpFilters(
  direction: "outbound" | "inbound",
  cluster: string,
  logs: AccessLogs,
  connect: "at once" | "handshake" = "at once",
): readonly Filter[] {
  const { resource } = direction === "outbound" ? FILTERS.outboundTcp : FILTERS.inboundTcp;
  return [tcpFilter(resource), tcpProxy(direction, cluster, logs(direction, "tcp"), connect)];
}

/** A built-in network filter. `resource`: the name of its ECDS resource. */
export function tcpFilter(resource: string): Filter {
  return create(FilterSchema, {
    name: resource,
    configType: { case: "configDiscovery", value: { configSource: ads(), typeUrls: [typeUrl(WasmSchema)] } },
  });
}

/** Bytes that follow the handshake directly are kept until the application is connected, up to this limit. */
const EARLY_DATA_BYTES = 16 << 10;

export function tcpProxy(
  statPrefix: "outbound" | "inbound" | "deliver",
  cluster: string,
  log: AccessLog[],
  /** When Envoy connects to the application: `handshake` means after TLS has identified the caller. */
  connect: "at once" | "handshake" = "at once",
): Filter {
  return create(FilterSchema, {
    name: "envoy.filters.network.tcp_proxy",
    configType: {
      case: "typedConfig",
      value: any(TcpProxySchema, {
        statPrefix,
        clusterSpecifier: { case: "cluster", value: cluster },
        // Both ends decide how long an idle connection lives (Envoy's default ends it after an hour).
        idleTimeout: milliseconds(0),
        ...(statPrefix === "outbound" ? { onDemand: tcpOnDemand() } : {}),
        ...(connect === "handshake"
          ? {
              upstreamConnectMode: UpstreamConnectMode.ON_DOWNSTREAM_TLS_HANDSHAKE,
              maxEarlyDataBytes: EARLY_DATA_BYTES,
            }
          : {}),
        accessLog: log,
      }),
    },
  });
}
