import { Remembered } from "../../lib/remember.ts";
import type { ServicePort } from "../../model/service.ts";
import { spiffeIdOf } from "../../model/spiffe-id.ts";
import type { Workload } from "../../model/workload.ts";
import {
  Cluster_DiscoveryType as DiscoveryType,
  Cluster_LbPolicy as LbPolicy,
  ClusterSchema,
  type Cluster,
} from "../../xds/gen/envoy/config/cluster/v3/cluster_pb.ts";
import { AddressSchema, BindConfigSchema, SocketAddressSchema } from "../../xds/gen/envoy/config/core/v3/address_pb.ts";
import { MetadataSchema } from "../../xds/gen/envoy/config/core/v3/base_pb.ts";
import { ConfigSchema as BindOverrideSchema } from "../../xds/gen/envoy/extensions/local_address_selectors/filter_state_override/v3/config_pb.ts";
import { InternalUpstreamTransportSchema } from "../../xds/gen/envoy/extensions/transport_sockets/internal_upstream/v3/internal_upstream_pb.ts";
import { RawBufferSchema } from "../../xds/gen/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer_pb.ts";
import { any, create, milliseconds } from "../../xds/proto.ts";
import type { Destination, ServiceTarget } from "../view/destinations.ts";
import type { DirectTarget } from "../view/direct.ts";
import { peerString } from "../filters/peer-string.ts";
import {
  CLUSTERS,
  guardCluster,
  hostPort,
  INTERNAL_LISTENERS,
  tcpDestinationName,
  tcpEndpointsName,
} from "../view/names.ts";
import type { LocalPod } from "../view/node-view.ts";
import { ALPN } from "../mtls/alpn.ts";
import { ads } from "../connection/discovery.ts";
import { upstreamHttpOptions } from "../http/http-options.ts";
import { peersSecret, SECRETS } from "../mtls/secrets.ts";
import { upstreamTls } from "../mtls/tls.ts";

const CONNECT_TIMEOUT_MS = 10_000;

/** In an endpoint's metadata `envoy.transport_socket_match`: it is spoken to by mTLS. */
export const MTLS_MATCH = "mtls";

/** Clusters that were made before, by what they were made of. */
export interface ClusterMemory {
  readonly ofServices: Remembered<ServicePort, Cluster>;
  readonly ofPods: Remembered<Workload, Cluster>;
  readonly guards: Remembered<Workload, Cluster>;
  /** Nothing in them depends on the mesh. */
  readonly fixed: readonly Cluster[];
}

export function newClusterMemory(): ClusterMemory {
  return {
    ofServices: new Remembered(),
    ofPods: new Remembered(),
    guards: new Remembered(),
    fixed: fixedClusters(),
  };
}

/** The cluster of a Service's port in one family: what HTTPRoutes lead to. */
export function serviceCluster(target: ServiceTarget, memory: ClusterMemory): Cluster {
  return edsCluster(target.cluster, target.cluster, target, ALPN.http1, memory);
}

/** The cluster named like the `address:port` that was dialled, for HTTP. */
export function httpDestinationCluster(
  { address, port, target, backend }: Destination,
  memory: ClusterMemory,
): Cluster {
  const name = hostPort(address, port);
  return edsCluster(name, backend === undefined ? target.cluster : name, target, ALPN.http1, memory);
}

/** The same for bytes that are not HTTP: tcp_proxy finds it by the name that filter state gives. */
export function tcpDestinationCluster({ address, port, target, backend }: Destination, memory: ClusterMemory): Cluster {
  const endpoints = backend === undefined ? target.cluster : hostPort(address, port);
  return edsCluster(tcpDestinationName(address, port), tcpEndpointsName(endpoints), target, ALPN.tcp, memory);
}

/** The cluster of a pod that is dialled by its own address. */
export function directCluster(
  { workload, address, port }: DirectTarget,
  kind: "http" | "tcp",
  trustDomain: string,
  memory: ClusterMemory,
): Cluster {
  const target = hostPort(address, port);
  const [name, endpoints] =
    kind === "http" ? [target, target] : [tcpDestinationName(address, port), tcpEndpointsName(target)];
  return memory.ofPods.get(workload, name, [trustDomain], () =>
    makeCluster({
      name,
      endpoints,
      // One name for all of them: each would have statistics of its own.
      statName: "direct",
      sni: "",
      alpn: ALPN[kind === "http" ? "http1" : "tcp"],
      peers: SECRETS.peer(spiffeIdOf(trustDomain, workload)),
      service: undefined,
    }),
  );
}

/** `alpn`: offered where nothing beside the connection says otherwise, as it does for HTTP/2 (`outbound-listener.ts`). */
function edsCluster(
  name: string,
  endpoints: string,
  target: ServiceTarget,
  alpn: readonly string[],
  memory: ClusterMemory,
): Cluster {
  const { service, port, host, cluster } = target;
  return memory.ofServices.get(port, name, [service, endpoints, alpn], () =>
    makeCluster({
      name,
      endpoints,
      // What statistics and logs call it: the Service's name says more than an address.
      statName: cluster,
      // The name that Istio's sidecars give.
      sni: `outbound_.${port.port}_._.${host}`,
      alpn,
      peers: peersSecret(target),
      service: { service: [service.meta.name, service.meta.namespace, host].join("|"), port: String(port.port) },
    }),
  );
}

interface ClusterFacts {
  readonly name: string;
  /** By which name its endpoints are asked for. */
  readonly endpoints: string;
  readonly statName: string;
  readonly sni: string;
  readonly alpn: readonly string[];
  /** The secret that says whom it believes. */
  readonly peers: string;
  /** For the filters: which Service it is. */
  readonly service: { readonly service: string; readonly port: string } | undefined;
}

function makeCluster({ name, endpoints, statName, sni, alpn, peers, service }: ClusterFacts): Cluster {
  return create(ClusterSchema, {
    ...common(name),
    altStatName: statName,
    clusterDiscoveryType: { case: "type", value: DiscoveryType.EDS },
    edsClusterConfig: { edsConfig: ads(), serviceName: endpoints },
    lbPolicy: LbPolicy.LEAST_REQUEST,
    // Ready is Kubernetes' word; there is no health of our own that a panic threshold could doubt.
    commonLbConfig: { healthyPanicThreshold: { value: 0 } },
    transportSocketMatches: [
      { name: MTLS_MATCH, match: { [MTLS_MATCH]: true }, transportSocket: upstreamTls(sni, alpn, peers) },
    ],
    transportSocket: internalUpstream(),
    ...(service === undefined ? {} : { metadata: create(MetadataSchema, { filterMetadata: { ambit: service } }) }),
  });
}

function fixedClusters(): readonly Cluster[] {
  const byDestination = {
    clusterDiscoveryType: { case: "type", value: DiscoveryType.ORIGINAL_DST },
    lbPolicy: LbPolicy.CLUSTER_PROVIDED,
  } as const;
  return [
    create(ClusterSchema, { ...common(CLUSTERS.deliver), ...byDestination }),
    create(ClusterSchema, {
      name: CLUSTERS.blocked,
      clusterDiscoveryType: { case: "type", value: DiscoveryType.STATIC },
      loadAssignment: { clusterName: CLUSTERS.blocked },
    }),
  ];
}

/** From a pod's inbound listener into `local_guard`: one for each pod, and as lasting as its listeners. */
export function guardClusters(
  pods: readonly LocalPod[],
  trustDomain: string,
  memory: ClusterMemory,
): readonly Cluster[] {
  return pods.map((pod) =>
    memory.guards.get(pod.workload, "", [pod.netns, trustDomain], () => makeGuard(pod, trustDomain)),
  );
}

function makeGuard({ workload, netns }: LocalPod, trustDomain: string): Cluster {
  const name = guardCluster(workload.uid);
  const address = internalAddress(INTERNAL_LISTENERS.guard, workload.uid);
  const metadata = { ambit: { netns, peer: peerString(workload, trustDomain) } };
  return create(ClusterSchema, {
    ...common(name),
    clusterDiscoveryType: { case: "type", value: DiscoveryType.STATIC },
    altStatName: "guard",
    transportSocket: internalUpstream(),
    loadAssignment: {
      clusterName: name,
      endpoints: [
        {
          lbEndpoints: [
            {
              hostIdentifier: { case: "endpoint", value: { address } },
              metadata: create(MetadataSchema, { filterMetadata: metadata }),
            },
          ],
        },
      ],
    },
  });
}

/** An endpoint behind an internal listener. */
export function internalAddress(serverListenerName: string, endpointId: string) {
  return create(AddressSchema, {
    address: {
      case: "envoyInternalAddress",
      value: { addressNameSpecifier: { case: "serverListenerName", value: serverListenerName }, endpointId },
    },
  });
}

function common(name: string) {
  return {
    name,
    connectTimeout: milliseconds(CONNECT_TIMEOUT_MS),
    upstreamBindConfig: bindInNetns(),
    typedExtensionProtocolOptions: upstreamHttpOptions(),
    circuitBreakers: { thresholds: [unlimited()] },
  };
}

/** Upstream sockets are opened in the netns that the connection's filter state names, IPv4 and IPv6. */
function bindInNetns() {
  const any4 = create(SocketAddressSchema, { address: "0.0.0.0", portSpecifier: { case: "portValue", value: 0 } });
  const any6 = create(SocketAddressSchema, { address: "::", portSpecifier: { case: "portValue", value: 0 } });
  return create(BindConfigSchema, {
    sourceAddress: any4,
    extraSourceAddresses: [{ address: any6 }],
    localAddressSelector: {
      name: "envoy.upstream.local_address_selector.filter_state_override",
      typedConfig: any(BindOverrideSchema),
    },
  });
}

/** For endpoints on this node: passes the endpoint's metadata to the internal listener. Plain sockets are not affected. */
function internalUpstream() {
  return {
    name: "envoy.transport_sockets.internal_upstream",
    configType: {
      case: "typedConfig" as const,
      value: any(InternalUpstreamTransportSchema, {
        passthroughMetadata: [
          { kind: { kind: { case: "host", value: {} } }, name: "envoy.filters.listener.original_dst" },
          { kind: { kind: { case: "host", value: {} } }, name: "ambit" },
        ],
        transportSocket: {
          name: "envoy.transport_sockets.raw_buffer",
          configType: { case: "typedConfig", value: any(RawBufferSchema) },
        },
      }),
    },
  };
}

/** Envoy's defaults (1,024 connections, 3 retries at a time) are limits that nobody asked for. */
function unlimited() {
  const max = 0xffff_ffff;
  return { maxConnections: max, maxPendingRequests: max, maxRequests: max, maxRetries: max };
}
