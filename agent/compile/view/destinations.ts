import type { Protocol, Service, ServicePort } from "../../model/service.ts";
import type { OutboundMode } from "../../model/capture-state.ts";
import { familyOf, IP_FAMILIES, type IpFamily } from "../../lib/ip-address.ts";
import { clusterName, hostPort, serviceHost } from "./names.ts";
import type { Backend, NodeView } from "./node-view.ts";

/** One port of one Service in one address family: what gets an Envoy cluster. */
export interface ServiceTarget {
  readonly service: Service;
  readonly port: ServicePort;
  readonly family: IpFamily;
  readonly cluster: string;
  readonly host: string;
  /** Made when it is first read. */
  readonly backends: readonly Backend[];
}

/** An `address:port` that enrolled pods dial and the node's proxy takes. */
export interface Destination {
  readonly address: string;
  readonly port: number;
  readonly mode: OutboundMode;
  readonly target: ServiceTarget;
  /** Set where one certain pod of a headless Service was dialled: only that one may answer. */
  readonly backend: Backend | undefined;
}

export function outboundMode(protocol: Protocol): OutboundMode {
  switch (protocol) {
    case "http":
    case "http2":
    case "grpc":
      return "http";
    case "tcp":
      return "tcp";
    case "detect":
      return "detect";
  }
}

export function serviceTargets(view: NodeView): readonly ServiceTarget[] {
  return view.mesh.services.flatMap((service) =>
    service.ports.flatMap((port) =>
      families(service).flatMap((family) => {
        let backends: readonly Backend[] | undefined;
        const target: ServiceTarget = {
          service,
          port,
          family,
          cluster: clusterName(service, port.port, family),
          host: serviceHost(service.meta.namespace, service.meta.name),
          // Most of a large mesh nobody of the node asks for.
          get backends() {
            return (backends ??= view.backends(service, port, family));
          },
        };
        // A headless Service does not say which families it has: those of its endpoints count.
        return service.headless && target.backends.length === 0 ? [] : [target];
      }),
    ),
  );
}

function families(service: Service): readonly IpFamily[] {
  return service.headless ? IP_FAMILIES : [...new Set(service.clusterIPs.map(familyOf))];
}

/** Every destination once; where two Services claim the same address and port, the first by name has it. */
export function destinations(targets: readonly ServiceTarget[]): readonly Destination[] {
  const found = new Map<string, Destination>();
  const claim = (destination: Destination): void => {
    const key = hostPort(destination.address, destination.port);
    if (!found.has(key)) found.set(key, destination);
  };
  for (const target of targets) {
    const mode = outboundMode(target.port.protocol);
    for (const address of target.service.clusterIPs) {
      if (familyOf(address) === target.family) {
        claim({ address, port: target.port.port, mode, target, backend: undefined });
      }
    }
  }
  // After all virtual addresses: an address of a pod never shadows one.
  for (const target of targets) {
    if (!target.service.headless) continue;
    const mode = outboundMode(target.port.protocol);
    for (const backend of target.backends) {
      claim({ address: backend.address, port: backend.port, mode, target, backend });
    }
  }
  return [...found.values()];
}
