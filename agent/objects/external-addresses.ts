import { describeObject } from "../model/object-ref.ts";
import type { Problem } from "../model/problem.ts";
import { servicesByAge, type Sourced } from "./address-conflicts.ts";
import type { HeldAddresses } from "./held-addresses.ts";
import { Notes } from "./notes.ts";
import type { RawObject } from "./raw-object.ts";
import type { ReadService } from "./service.ts";

/**
 * Keeps those externalIPs and load balancers' addresses of Services that are free. As with kube-proxy they hold for callers of
 * all namespaces, so each one in use is reported. None takes an address of a pod, of a node, or a clusterIP; of two Services the
 * older one gets an address and port.
 */
export function withFreeExternalAddresses(
  services: readonly Sourced<ReadService>[],
  held: HeldAddresses,
  problems: Problem[],
): readonly Sourced<ReadService>[] {
  const clusterIPs = new Map<string, RawObject>();
  for (const { object, value } of services) {
    for (const address of value.service.clusterIPs) if (!clusterIPs.has(address)) clusterIPs.set(address, object);
  }
  const taken = new Map<string, RawObject>();
  return servicesByAge(services).map((sourced) => {
    const { object, value } = sourced;
    const { service } = value;
    if (service.externalAddresses.length === 0) return sourced;
    const notes = new Notes(object, problems);
    const used: string[] = [];
    for (const address of service.externalAddresses) {
      const places = service.ports.map(({ port }) => `${address} port ${port}`);
      const [before] = places.flatMap((place) => taken.get(place) ?? []);
      const holder = clusterIPs.get(address) ?? before;
      const reason =
        held(address) ?? (holder && (holder === object ? "its clusterIP" : `that of ${describeObject(holder)}`));
      if (reason === undefined) {
        for (const place of places) taken.set(place, object);
        used.push(address);
      } else {
        notes.add("warning", ["spec", "externalIPs"], {
          code: "address-not-free",
          reason: `${address} is ${reason}; the Service does not get calls to it`,
          remedy: "Remove the address from externalIPs, or from the load balancer.",
        });
      }
    }
    if (used.length > 0) {
      notes.add("warning", ["spec", "externalIPs"], {
        code: "external-address",
        reason: `the Service gets the calls of all namespaces to ${used.join(", ")}, as with kube-proxy`,
        remedy:
          "Nothing, if this is meant: addresses from externalIPs and load balancers are listed so that none is overlooked.",
      });
    }
    const isSame = used.length === service.externalAddresses.length;
    return isSame ? sourced : { object, value: { ...value, service: { ...service, externalAddresses: used } } };
  });
}
