import type { Message } from "../../xds/proto.ts";
import { create, milliseconds } from "../../xds/proto.ts";
import { OnDemandCdsSchema } from "../../xds/gen/envoy/extensions/filters/http/on_demand/v3/on_demand_pb.ts";
import { TcpProxy_OnDemandSchema } from "../../xds/gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.ts";
import { LazyMap } from "../../lib/lazy-map.ts";
import type { Destination, ServiceTarget } from "../destinations.ts";
import { hostPort, tcpDestinationName, tcpEndpointsName } from "../names.ts";
import type { Backend } from "../node-view.ts";
import { ads } from "./config-source.ts";
import { httpDestinationCluster, serviceCluster, tcpDestinationCluster } from "./cluster.ts";

/**
 * How long the first request for a destination waits for its cluster. As a rule that takes milliseconds; only where the
 * agent is being replaced does it take longer, and the caller shall not notice that.
 */
const DISCOVERY_TIMEOUT_MS = 30_000;

/** For Envoy's HTTP filter `on_demand`: a request whose cluster is not there waits while Envoy asks for it. */
export function httpOnDemand() {
  return create(OnDemandCdsSchema, { source: ads(), timeout: milliseconds(DISCOVERY_TIMEOUT_MS) });
}

/** The same for tcp_proxy, which has it built in. */
export function tcpOnDemand() {
  return create(TcpProxy_OnDemandSchema, { odcdsConfig: ads(), timeout: milliseconds(DISCOVERY_TIMEOUT_MS) });
}

/** Every cluster that Envoy may ask for: of Services, for routes that lead to them, and of what can be dialled. */
export function onDemandClusters(
  targets: readonly ServiceTarget[],
  destinations: readonly Destination[],
): ReadonlyMap<string, Message> {
  return new LazyMap<string, Message>([
    ...targets.map((target) => [target.cluster, () => serviceCluster(target)] as const),
    ...destinations.flatMap((destination) => {
      const { address, port } = destination;
      return [
        [hostPort(address, port), () => httpDestinationCluster(destination)] as const,
        [tcpDestinationName(address, port), () => tcpDestinationCluster(destination)] as const,
      ];
    }),
  ]);
}

/** Makes the endpoints that a cluster has under a name. */
type MakeEndpoints = (name: string, backends: readonly Backend[]) => Message;

/** The endpoints behind those clusters, by the name that their EDS configuration gives. */
export function onDemandEndpoints(
  targets: readonly ServiceTarget[],
  destinations: readonly Destination[],
  http: MakeEndpoints,
  tcp: MakeEndpoints,
): ReadonlyMap<string, Message> {
  const both = (name: string, backends: () => readonly Backend[]) => {
    const tcpName = tcpEndpointsName(name);
    return [[name, () => http(name, backends())] as const, [tcpName, () => tcp(tcpName, backends())] as const];
  };
  return new LazyMap<string, Message>([
    ...targets.flatMap((target) => both(target.cluster, () => target.backends)),
    ...destinations.flatMap(({ address, port, backend }) =>
      backend === undefined ? [] : both(hostPort(address, port), () => [backend]),
    ),
  ]);
}
