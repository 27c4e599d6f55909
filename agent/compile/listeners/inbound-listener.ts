import { TrafficDirection } from "../../xds/gen/envoy/config/core/v3/base_pb.ts";
import { FilterChainSchema } from "../../xds/gen/envoy/config/listener/v3/listener_components_pb.ts";
import { ListenerSchema, type Listener } from "../../xds/gen/envoy/config/listener/v3/listener_pb.ts";
import { BRIEF_PORT, INBOUND_PORT } from "../../lib/ports.ts";
import { spiffeIdOf } from "../../model/spiffe-id.ts";
import { create, milliseconds } from "../../xds/proto.ts";
import { ownPeerString } from "../filters/peer-string.ts";
import { hasBriefListener } from "../mtls/brief-ports.ts";
import type { MtlsMode } from "../../model/peer-authentication.ts";
import type { PeerModes } from "../mtls/peer-mode.ts";
import { FILTERS, guardCluster } from "../view/names.ts";
import type { LocalPod } from "../view/node-view.ts";
import type { PodPorts } from "../view/pod-ports.ts";
import {
  DESTINATION,
  guardState,
  LOCAL_PORT,
  PEER_IP,
  setFilterState,
  upstreamNetns,
} from "../connection/filter-state.ts";
import { httpConnectionManager } from "../http/http-connection-manager.ts";
import { ACCEPTED_AT_ONCE, strangersLimit } from "./connection-limits.ts";
import { CHAINS, inboundChains, settledPorts } from "./inbound-chains.ts";
import { httpInspector, originalDst, originalSrc, tlsInspector } from "./listener-filters.ts";
import { DETECTION_MS, type ListenerOptions } from "./outbound-listener.ts";
import { LOOPBACK, LOOPBACK_MAY_LACK, podAddress } from "./pod-address.ts";
import { tcpFilter, tcpFilters } from "../tcp/tcp-proxy.ts";
import { downstreamTls } from "../mtls/tls.ts";

/**
 * How long the listener for callers from outside the mesh waits for the first bytes: their bytes may be TLS, but hardly
 * ever are.
 */
const BRIEF_MS = 25;

/** A pod's inbound listeners differ only in how long they wait for the first bytes. */
interface Patience {
  readonly prefix: "inbound" | "inbound_brief";
  readonly port: number;
  readonly detectionMs: number;
}

const PATIENT: Patience = { prefix: "inbound", port: INBOUND_PORT, detectionMs: DETECTION_MS };
const BRIEF: Patience = { prefix: "inbound_brief", port: BRIEF_PORT, detectionMs: BRIEF_MS };

/**
 * The listener for connections to a pod. If a server of the pod may speak first, there is a second one: the kernel
 * hands it the callers that cannot speak mTLS, by their address. It takes two, since Envoy has one time limit for a
 * listener and cannot choose listener filters by source.
 */
export function inboundListeners(
  pod: LocalPod,
  ports: PodPorts,
  modes: PeerModes,
  options: ListenerOptions,
): readonly Listener[] {
  const isBrief = options.hasMtls && hasBriefListener(ports, modes);
  return (isBrief ? [PATIENT, BRIEF] : [PATIENT]).map((patience) =>
    inboundListener(pod, ports, modes, options, patience),
  );
}

/**
 * One of them, for IPv4 and IPv6. Bytes that are not HTTP pass `local_guard` whether or not a policy guards the pod: a
 * listener that changed with the first policy, and with the last, would cut its connections.
 */
function inboundListener(
  pod: LocalPod,
  ports: PodPorts,
  modes: PeerModes,
  options: ListenerOptions,
  { prefix, port, detectionMs }: Patience,
): Listener {
  const { workload, netns, effects } = pod;
  const { hasMtls, logs, podConnections, times, trustDomain } = options;
  const destination = ownPeerString(workload, trustDomain);
  const taken = hasMtls ? modes : withoutAuthority(modes);
  const settled = settledPorts(ports, taken);
  const guard = guardCluster(workload.uid);
  // Without mTLS the pods of other nodes are strangers, too.
  const limit = hasMtls ? [strangersLimit(podConnections)] : [];
  const tls = {
    transportSocket: downstreamTls(spiffeIdOf(trustDomain, workload)),
    // A caller that sends nothing is cut off then. Otherwise plaintext in STRICT mode would wait for ever.
    transportSocketConnectTimeout: milliseconds(times.handshakeMs),
  };
  const mtls = [
    create(FilterChainSchema, {
      ...tls,
      name: CHAINS.mtlsHttp,
      filters: [httpConnectionManager("inbound", options, { kind: "certificate", destination })],
    }),
    create(FilterChainSchema, {
      ...tls,
      name: CHAINS.mtlsTcp,
      filters: [guardState(true), ...tcpFilters("inbound", guard, logs, "handshake")],
    }),
  ];
  return create(ListenerSchema, {
    name: `${prefix}|${workload.uid}`,
    statPrefix: prefix,
    trafficDirection: TrafficDirection.INBOUND,
    // sk_lookup hands connections over whatever address the listener is bound to, if the family fits. Both families are there
    // from the start: Envoy drains the connections of a listener that gets another address.
    address: podAddress(netns, LOOPBACK[4], port),
    additionalAddresses: [{ address: podAddress(netns, LOOPBACK[6], port) }],
    freebind: LOOPBACK_MAY_LACK,
    maxConnectionsToAcceptPerSocketEvent: ACCEPTED_AT_ONCE,
    listenerFilters: [
      originalDst(),
      originalSrc(),
      setFilterState([
        upstreamNetns(netns),
        { key: DESTINATION, value: destination },
        { key: PEER_IP, value: "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%" },
        { key: LOCAL_PORT, value: "%DOWNSTREAM_LOCAL_PORT%" },
      ]),
      ...(hasMtls ? [tlsInspector(settled)] : []),
      httpInspector([...new Set([...ports.http, ...ports.tcp, ...settled])].toSorted((a, b) => a - b)),
    ],
    listenerFiltersTimeout: milliseconds(detectionMs),
    continueOnListenerFiltersTimeout: true,
    filterChainMatcher: inboundChains(ports, taken),
    filterChains: [
      // The matcher names these chains before they exist, and closes what it sends to them. So a pod's new certificate adds
      // chains and changes nothing else, and Envoy does that in place.
      ...(hasMtls && effects.listeners === "all" ? mtls : []),
      create(FilterChainSchema, {
        name: CHAINS.http,
        filters: [
          ...limit,
          tcpFilter(FILTERS.firstByte.resource),
          httpConnectionManager("inbound", options, { kind: "nobody", destination }),
        ],
      }),
      create(FilterChainSchema, {
        name: CHAINS.tcp,
        filters: [...limit, guardState(false), ...tcpFilters("inbound", guard, logs)],
      }),
    ],
  });
}

/**
 * The modes in a mesh without an authority. A STRICT port stays STRICT: the chains that would take its connections do not exist,
 * so that Envoy closes them. All else is plaintext.
 */
function withoutAuthority({ other, ports }: PeerModes): PeerModes {
  const mode = (one: MtlsMode): MtlsMode => (one === "STRICT" ? "STRICT" : "DISABLE");
  return { other: mode(other), ports: new Map([...ports].map(([port, one]) => [port, mode(one)])) };
}
