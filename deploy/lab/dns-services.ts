import type { DnsService } from "./kubelet-protocol.ts";
import type { ServicePlan } from "./service-plan.ts";
import type { Slice } from "./slice.ts";

/** What a node's name server says of a Service. `slices`: the Service's own. */
export function dnsService(service: ServicePlan, clusterIPs: readonly string[], slices: readonly Slice[]): DnsService {
  const ready = slices.flatMap(({ endpoints }) => endpoints.filter((endpoint) => endpoint.ready));
  const named = new Map<string, string[]>();
  for (const { hostname, addresses } of ready) {
    if (hostname !== undefined) named.set(hostname, [...(named.get(hostname) ?? []), ...addresses]);
  }
  return {
    namespace: service.namespace,
    name: service.name,
    addresses: service.kind === "Headless" ? ready.flatMap(({ addresses }) => addresses) : clusterIPs,
    hosts: [...named].map(([hostname, addresses]) => ({ hostname, addresses })),
    alias: service.kind === "ExternalName" ? service.externalName : undefined,
    ports: service.ports.map(({ name, port, protocol }) => ({ name, port, protocol })),
  };
}
