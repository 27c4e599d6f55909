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
  DIRECT,
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

/** Set in an endpoint's metadata `envoy.transport_socket_match`: callers speak mTLS to it. */
export const MTLS_MATCH = "mtls";

/** Earlier results; each is used again while its inputs are the same. */
export interface ClusterMemory {
  readonly ofServices: Remembered<ServicePort, Cluster>;
  readonly ofPods: Remembered<Workload, Cluster>;
  readonly guards: Remembered<Workload, Cluster>;
  /** These depend on no input. */
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

/** The cluster of a Service's port in one address family. HTTPRoutes lead to it. */
export function serviceCluster(target: ServiceTarget, memory: ClusterMemory): Cluster {
  return edsCluster(target.cluster, target.cluster, target, ALPN.http1, memory);
}

/** The cluster for HTTP that was dialled at `address:port`; it has that name. */
export function httpDestinationCluster(
  { address, port, target, backend }: Destination,
  memory: ClusterMemory,
): Cluster {
  const name = hostPort(address, port);
  return edsCluster(name, backend === undefined ? target.cluster : name, target, ALPN.http1, memory);
}

/** The cluster for other bytes that were dialled there: tcp_proxy finds it by the name in filter state. */
export function tcpDestinationCluster({ address, port, target, backend }: Destination, memory: ClusterMemory): Cluster {
  const endpoints = backend === undefined ? target.cluster : hostPort(address, port);
  return edsCluster(tcpDestinationName(address, port), tcpEndpointsName(endpoints), target, ALPN.tcp, memory);
}

/** The cluster of a pod that callers dial by its own address. */
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
      statName: DIRECT,
      sni: "",
      alpn: ALPN[kind === "http" ? "http1" : "tcp"],
      peers: SECRETS.peer(spiffeIdOf(trustDomain, workload)),
      service: undefined,
    }),
  );
}

/**
 * `alpn`: offered unless the connection's filter state says otherwise, as it does for HTTP/2 (`outbound-listener.ts`).
 */
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
      // Statistics and logs show this name: the Service's says more than an address.
      statName: cluster,
      // Istio's sidecars send this name.
      sni: `outbound_.${port.port}_._.${host}`,
      alpn,
      peers: peersSecret(target),
      service: { service: [service.meta.name, service.meta.namespace, host].join("|"), port: String(port.port) },
    }),
  );
}

interface ClusterFacts {
  readonly name: string;
  /** Name under which Envoy asks for its endpoints. */
  readonly endpoints: string;
  readonly statName: string;
  readonly sni: string;
  readonly alpn: readonly string[];
  /** Name of the secret that says which servers the cluster trusts. */
  readonly peers: string;
  /** The Service, for the filters; undefined: none. */
  readonly service: { readonly service: string; readonly port: string } | undefined;
}

function makeCluster({ name, endpoints, statName, sni, alpn, peers, service }: ClusterFacts): Cluster {
  return create(ClusterSchema, {
    ...common(name),
    altStatName: statName,
    clusterDiscoveryType: { case: "type", value: DiscoveryType.EDS },
    edsClusterConfig: { edsConfig: ads(), serviceName: endpoints },
    lbPolicy: LbPolicy.LEAST_REQUEST,
    // Kubernetes alone says which endpoints are ready. At 0 Envoy never falls back to those that are not.
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

/** One cluster for each pod, from its inbound listener to `local_guard`. It exists as long as the listener. */
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

/** Address of an endpoint behind an internal listener. */
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

/** Envoy opens upstream sockets, IPv4 and IPv6, in the network namespace that the connection's filter state names. */
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

/** Passes the metadata of an endpoint on this node to the internal listener. Plain sockets stay as they are. */
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

/** Replaces Envoy's defaults (1,024 connections, 3 concurrent retries): the application did not ask for limits. */
function unlimited() {
  const max = 0xffff_ffff;
  return { maxConnections: max, maxPendingRequests: max, maxRequests: max, maxRetries: max };
}
