import { FilterChainSchema, type Filter } from "../../xds/gen/envoy/config/listener/v3/listener_components_pb.ts";
import { ListenerSchema, type Listener } from "../../xds/gen/envoy/config/listener/v3/listener_pb.ts";
import { FilterStateValue_SharedWithUpstream as Shared } from "../../xds/gen/envoy/extensions/filters/common/set_filter_state/v3/value_pb.ts";
import { DEFAULT_CALLER_TIMES } from "../../model/caller-times.ts";
import { create, milliseconds } from "../../xds/proto.ts";
import { CLUSTERS, FILTERS, INTERNAL_LISTENERS } from "../view/names.ts";
import type { CompileOptions } from "../view/options.ts";
import { accessLogs } from "../connection/access-log.ts";
import { CLIENT, DESTINATION, LOCAL_PORT, setFilterState, upstreamNetns } from "../connection/filter-state.ts";
import { httpConnectionManager } from "../http/http-connection-manager.ts";
import { httpInspector, originalDst, originalSrc } from "./listener-filters.ts";
import { DETECTION_MS } from "./outbound-listener.ts";
import { tcpFilter, tcpProxy } from "../tcp/tcp-proxy.ts";

/** The internal listeners that lead to pods of this node; see `INTERNAL_LISTENERS`. */
export function internalListeners({
  accessLog,
  callerTimes: times = DEFAULT_CALLER_TIMES,
}: Pick<CompileOptions, "accessLog" | "callerTimes">): readonly Listener[] {
  const delivery = tcpProxy("deliver", CLUSTERS.deliver, []);
  const bytes = [tcpFilter(FILTERS.guard.resource), delivery];
  const manager = httpConnectionManager("inbound", { logs: accessLogs(accessLog), times }, { kind: "filter-state" });
  return [
    internalListener(INTERNAL_LISTENERS.deliver, delivery),
    internalListener(INTERNAL_LISTENERS.guard, ...bytes),
    internalListener(INTERNAL_LISTENERS.inbound, manager),
    detectingListener(manager, bytes),
  ];
}

/** Treats a connection as the inbound listener of the pod would at a port whose protocol is not known. */
function detectingListener(manager: Filter, bytes: Filter[]): Listener {
  const { name, listenerFilters, ...rest } = internalListener(INTERNAL_LISTENERS.detect);
  return create(ListenerSchema, {
    ...rest,
    name,
    listenerFilters: [...listenerFilters, httpInspector([])],
    listenerFiltersTimeout: milliseconds(DETECTION_MS),
    continueOnListenerFiltersTimeout: true,
    filterChains: [
      create(FilterChainSchema, {
        name: "http",
        filterChainMatch: { applicationProtocols: ["http/1.0", "http/1.1", "h2c"] },
        filters: [manager],
      }),
    ],
    defaultFilterChain: create(FilterChainSchema, { name: "tcp", filters: bytes }),
  });
}

function internalListener(name: string, ...filters: Filter[]): Listener {
  return create(ListenerSchema, {
    name,
    statPrefix: name,
    listenerSpecifier: { case: "internalListener", value: {} },
    listenerFilters: [
      // The caller's address, for original_src below. This object is always hashable. So it is made here and not at the pod's
      // listener, where only the network namespace may be part of the pool's key.
      setFilterState([
        {
          key: "envoy.filters.listener.original_dst.remote_ip",
          value: `%FILTER_STATE(${CLIENT}:PLAIN)%`,
          factory: "envoy.filters.listener.original_dst.remote_ip",
          shared: Shared.NONE,
        },
      ]),
      // Takes the destination from the endpoint's metadata, which the internal_upstream transport passes on.
      originalDst(),
      originalSrc(),
      setFilterState([
        upstreamNetns("%DYNAMIC_METADATA(ambit:netns)%", Shared.ONCE),
        { key: DESTINATION, value: "%DYNAMIC_METADATA(ambit:peer)%", shared: Shared.NONE },
        { key: LOCAL_PORT, value: "%DOWNSTREAM_LOCAL_PORT%", shared: Shared.NONE },
      ]),
    ],
    filterChains: [create(FilterChainSchema, { filters })],
  });
}
