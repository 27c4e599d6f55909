import type { Protocol, Service, ServicePort } from "../../model/service.ts";
import type { OutboundMode } from "../../model/capture-state.ts";
import { familyOf, IP_FAMILIES, type IpFamily } from "../../lib/ip-address.ts";
import { clusterName, hostPort, serviceHost } from "./names.ts";
import type { Backend, NodeView } from "./node-view.ts";

/** One port of one Service in one address family. Each has an Envoy cluster. */
export interface ServiceTarget {
  readonly service: Service;
  readonly port: ServicePort;
  readonly family: IpFamily;
  readonly cluster: string;
  readonly host: string;
  /** Computed when it is first read. */
  readonly backends: readonly Backend[];
}

/** An `address:port`: connections of captured pods to it go to the proxy. */
export interface Destination {
  readonly address: string;
  readonly port: number;
  readonly mode: OutboundMode;
  readonly target: ServiceTarget;
  /** Set for the address of one pod of a headless Service: only that pod may answer. */
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
          // In a large mesh no pod of this node calls most Services.
          get backends() {
            return (backends ??= view.backends(service, port, family));
          },
        };
        // A headless Service names no address families: those of its endpoints count.
        return service.headless && target.backends.length === 0 ? [] : [target];
      }),
    ),
  );
}

function families(service: Service): readonly IpFamily[] {
  return service.headless ? IP_FAMILIES : [...new Set(virtualAddresses(service).map(familyOf))];
}

/** Addresses that no pod has: connections to them go to the Service's endpoints. */
function virtualAddresses({ clusterIPs, externalAddresses }: Service): readonly string[] {
  return [...clusterIPs, ...externalAddresses];
}

/**
 * Every destination once. If two Services claim one address and port, the first by name gets it. A destination holds for the
 * pods of all namespaces, so a Service never takes the address of a pod of another namespace, or one that no pod has.
 */
export function destinations(targets: readonly ServiceTarget[], view: NodeView): readonly Destination[] {
  const found = new Map<string, Destination>();
  const claim = (destination: Destination): void => {
    const key = hostPort(destination.address, destination.port);
    if (!found.has(key)) found.set(key, destination);
  };
  for (const target of targets) {
    const mode = outboundMode(target.port.protocol);
    for (const address of virtualAddresses(target.service)) {
      if (familyOf(address) === target.family && !isOfPod(address, view)) {
        claim({ address, port: target.port.port, mode, target, backend: undefined });
      }
    }
  }
  // After all virtual addresses: a pod's address never replaces one.
  for (const target of targets) {
    if (!target.service.headless) continue;
    const mode = outboundMode(target.port.protocol);
    for (const backend of target.backends) {
      const owner = view.workloadsByAddress.get(backend.address);
      if (owner?.meta.namespace !== target.service.meta.namespace) continue;
      claim({ address: backend.address, port: backend.port, mode, target, backend });
    }
  }
  return [...found.values()];
}

function isOfPod(address: string, { workloadsByAddress, contestedAddresses }: NodeView): boolean {
  return workloadsByAddress.has(address) || contestedAddresses.has(address);
}
