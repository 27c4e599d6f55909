import type { Message } from "../../xds/proto.ts";
import { LazyMap } from "../../lib/lazy-map.ts";
import { outboundMode, type Destination, type ServiceTarget } from "../view/destinations.ts";
import { hostPort, tcpDestinationName, tcpEndpointsName } from "../view/names.ts";
import { directTarget } from "../view/direct.ts";
import type { Backend, NodeView } from "../view/node-view.ts";
import type { EndpointMakers } from "./endpoints.ts";
import {
  directCluster,
  httpDestinationCluster,
  serviceCluster,
  tcpDestinationCluster,
  type ClusterMemory,
} from "./cluster.ts";

/**
 * Every cluster that Envoy may ask for: those of Services, which routes lead to, and those named like a dialled
 * address.
 */
export function onDemandClusters(
  targets: readonly ServiceTarget[],
  destinations: readonly Destination[],
  view: NodeView,
  trustDomain: string,
  memory: ClusterMemory,
): ReadonlyMap<string, Message> {
  return new LazyMap<string, Message>(
    [
      ...targets.map((target) => [target.cluster, () => serviceCluster(target, memory)] as const),
      ...destinations.flatMap((destination) => {
        const { address, port } = destination;
        return [
          [hostPort(address, port), () => httpDestinationCluster(destination, memory)] as const,
          [tcpDestinationName(address, port), () => tcpDestinationCluster(destination, memory)] as const,
        ];
      }),
    ],
    (name) => {
      const { kind, address } = dialled(name);
      const target = directTarget(address, view);
      return target === undefined ? undefined : directCluster(target, kind, trustDomain, memory);
    },
  );
}

/** The endpoints of those clusters, by the name in their EDS configuration (`EdsClusterConfig.service_name`). */
export function onDemandEndpoints(
  targets: readonly ServiceTarget[],
  destinations: readonly Destination[],
  view: NodeView,
  make: EndpointMakers,
): ReadonlyMap<string, Message> {
  const both = (name: string, { port }: ServiceTarget, backends: () => readonly Backend[]) => {
    const tcpName = tcpEndpointsName(name);
    const looked = outboundMode(port.protocol) !== "tcp";
    return [
      [name, () => make.http(name, backends())] as const,
      [tcpName, () => make.tcp(tcpName, backends(), looked)] as const,
    ];
  };
  return new LazyMap<string, Message>(
    [
      ...targets.flatMap((target) => both(target.cluster, target, () => target.backends)),
      ...destinations.flatMap(({ address, port, target, backend }) =>
        backend === undefined ? [] : both(hostPort(address, port), target, () => [backend]),
      ),
    ],
    (name) => {
      const { kind, address } = dialled(name);
      const target = directTarget(address, view);
      return target === undefined ? undefined : make.direct(name, kind, target);
    },
  );
}

/** Takes the name of a cluster, or of its endpoints, apart. */
function dialled(name: string): { readonly kind: "http" | "tcp"; readonly address: string } {
  return name.startsWith(TCP) ? { kind: "tcp", address: name.slice(TCP.length) } : { kind: "http", address: name };
}

const TCP = tcpEndpointsName("");
