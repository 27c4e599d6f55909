import { TrafficDirection } from "../../xds/gen/envoy/config/core/v3/base_pb.ts";
import {
  FilterChainSchema,
  type Filter,
  type FilterChain,
  type ListenerFilter,
} from "../../xds/gen/envoy/config/listener/v3/listener_components_pb.ts";
import { ListenerSchema, type Listener } from "../../xds/gen/envoy/config/listener/v3/listener_pb.ts";
import { OUTBOUND_PORTS } from "../../lib/ports.ts";
import { create, milliseconds } from "../../xds/proto.ts";
import type { OutboundMode } from "../../model/capture-state.ts";
import { ownPeerString } from "../filters/peer-string.ts";
import { spiffeIdOf } from "../../model/spiffe-id.ts";
import { ALPN } from "../mtls/alpn.ts";
import { familyOf, IP_FAMILIES } from "../../lib/ip-address.ts";
import { CLUSTERS, hostPort } from "../view/names.ts";
import type { LocalPod } from "../view/node-view.ts";
import type { AccessLogs } from "../connection/access-log.ts";
import { CLIENT, PEER_IP, setFilterState, SOURCE, upstreamAlpn, upstreamNetns } from "../connection/filter-state.ts";
import { httpConnectionManager, type HttpOptions } from "../http/http-connection-manager.ts";
import { ACCEPTED_AT_ONCE } from "./connection-limits.ts";
import { httpInspector, originalDst } from "./listener-filters.ts";
import { LOOPBACK, LOOPBACK_MAY_LACK, podAddress } from "./pod-address.ts";
import { certificateOf } from "../mtls/tls.ts";
import { tcpClusterByDestination, tcpFilters } from "../tcp/tcp-proxy.ts";

/**
 * A connection of unknown protocol may stay silent for this long; then the proxy assumes that the server speaks first.
 */
export const DETECTION_MS = 200;

/** What the listeners of all pods have in common. */
export interface ListenerOptions extends HttpOptions {
  readonly trustDomain: string;
  /** false: the mesh has no authority, and so no mTLS. */
  readonly hasMtls: boolean;
  /** How many connections a listener takes at a time. */
  readonly podConnections: number;
}

/**
 * A pod's outbound listeners: one for each mode and address family, as the caller's own address must be of the family
 * that it dialled. They stay the same while the pod lives; changes come by RDS, EDS and ECDS.
 */
export function outboundListeners(pod: LocalPod, options: ListenerOptions): readonly Listener[] {
  const { trustDomain, logs } = options;
  const { workload, netns, addresses: ownAddresses } = pod;
  const peer = ownPeerString(workload, trustDomain);
  // All of them share it; it is the largest part of each.
  const manager = httpConnectionManager("outbound", options, { kind: "pod", peer });
  const addresses = IP_FAMILIES.flatMap((family) => {
    const own = ownAddresses.find((address) => familyOf(address) === family);
    return own === undefined ? [] : [{ family, own }];
  });
  const modes: readonly OutboundMode[] = ["http", "tcp", "detect"];
  return addresses.flatMap(({ family, own }) =>
    modes.map((mode) =>
      create(ListenerSchema, {
        name: `outbound-${mode}|${workload.uid}|${family}`,
        // All pods share one name: statistics for each pod would cost the node more than they tell.
        statPrefix: `outbound_${mode}`,
        trafficDirection: TrafficDirection.OUTBOUND,
        address: podAddress(netns, LOOPBACK[family], OUTBOUND_PORTS[mode]),
        freebind: LOOPBACK_MAY_LACK,
        maxConnectionsToAcceptPerSocketEvent: ACCEPTED_AT_ONCE,
        listenerFilters: [
          originalDst(),
          setFilterState([
            upstreamNetns(netns),
            { key: SOURCE, value: peer },
            { key: PEER_IP, value: own },
            { key: CLIENT, value: hostPort(own, 1) },
            certificateOf(spiffeIdOf(trustDomain, workload)),
            ...(mode === "http" ? [] : [tcpClusterByDestination()]),
          ]),
          ...inspector(mode),
        ],
        // A caller of HTTP speaks first, and needs no time limit.
        listenerFiltersTimeout: milliseconds(mode === "http" ? 0 : DETECTION_MS),
        continueOnListenerFiltersTimeout: mode === "detect",
        ...chains(mode, manager, logs),
      }),
    ),
  );
}

function inspector(mode: OutboundMode): readonly ListenerFilter[] {
  return mode === "tcp" ? [] : [httpInspector([])];
}

function chains(
  mode: OutboundMode,
  manager: Filter,
  logs: AccessLogs,
): { readonly filterChains: FilterChain[]; readonly defaultFilterChain?: FilterChain } {
  const http = { name: "http", filters: [manager] };
  // The ALPN protocols that upstream connections offer follow the version of HTTP, as with Istio's sidecars.
  const http2 = create(FilterChainSchema, {
    name: "http2",
    filterChainMatch: { applicationProtocols: ["h2c"] },
    filters: [upstreamAlpn(ALPN.http2), manager],
  });
  const tcp = { filters: [...tcpFilters("outbound", CLUSTERS.blocked, logs)] };
  switch (mode) {
    case "http":
      return { filterChains: [http2], defaultFilterChain: create(FilterChainSchema, http) };
    case "tcp":
      return { filterChains: [create(FilterChainSchema, { name: "tcp", ...tcp })] };
    case "detect":
      return {
        filterChains: [
          http2,
          create(FilterChainSchema, { ...http, filterChainMatch: { applicationProtocols: ["http/1.0", "http/1.1"] } }),
        ],
        defaultFilterChain: create(FilterChainSchema, { name: "tcp", ...tcp }),
      };
  }
}
