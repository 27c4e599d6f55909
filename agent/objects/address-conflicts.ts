import { addTo } from "../lib/group-by.ts";
import { compareAge, compareNames } from "../model/meta.ts";
import type { Problem } from "../model/problem.ts";
import { describeObject } from "../model/object-ref.ts";
import type { HeldAddresses } from "./held-addresses.ts";
import { Notes } from "./notes.ts";
import type { ReadPod } from "./pod.ts";
import type { RawObject } from "./raw-object.ts";
import type { ReadService } from "./service.ts";

/** A value with the object that it was read from. */
export interface Sourced<T> {
  readonly object: RawObject;
  readonly value: T;
}

/** The oldest first. */
export function servicesByAge(services: readonly Sourced<ReadService>[]): readonly Sourced<ReadService>[] {
  return services.toSorted((a, b) => compareAge(a.value.service.meta, b.value.service.meta));
}

/**
 * Removes a virtual address from a Service if a pod or a node has it, an older Service has the same address and port, or an
 * older Service of another namespace has the address.
 */
export function withoutSharedClusterIPs(
  services: readonly Sourced<ReadService>[],
  held: HeldAddresses,
  problems: Problem[],
): readonly Sourced<ReadService>[] {
  const holders = new Map<string, RawObject>();
  const owners = new Map<string, RawObject>();
  return servicesByAge(services).map(({ object, value }) => {
    const clusterIPs = value.service.clusterIPs.filter((address) => {
      const holding = held(address);
      if (holding !== undefined) {
        new Notes(object, problems).add("warning", ["spec", "clusterIP"], {
          code: "address-not-free",
          reason: `${address} is ${holding}; the Service does not get calls to it`,
          remedy: "Give the Service another clusterIP, or leave it out.",
        });
        return false;
      }
      const owner = owners.get(address) ?? object;
      const places = value.service.ports.map(({ port }) => `${address} port ${port}`);
      const taken = owner.namespace === object.namespace ? places.find((place) => holders.has(place)) : address;
      if (taken === undefined) {
        owners.set(address, owner);
        for (const place of places) holders.set(place, object);
        return true;
      }
      const holder = holders.get(taken) ?? owners.get(address);
      new Notes(object, problems).add("error", ["spec", "clusterIP"], {
        code: "duplicate-cluster-ip",
        reason: `${taken} belongs to ${holder === undefined ? "another Service" : describeObject(holder)}`,
        remedy: "Give one of the Services another clusterIP, or leave it out.",
      });
      return false;
    });
    // Most Services keep all their addresses. They stay the same object, so that the compiler can keep its results for
    // them.
    if (clusterIPs.length === value.service.clusterIPs.length) return { object, value };
    return { object, value: { ...value, service: { ...value.service, clusterIPs } } };
  });
}

/**
 * Reports addresses that two live Pods claim: no Pod is trusted with such an address on its claim alone. A cluster gives the
 * addresses of a Pod that is being deleted again, so that Pod gives way. Pods on the host's network share the node's
 * addresses.
 */
export function withoutSharedPodAddresses(
  pods: readonly Sourced<ReadPod>[],
  problems: Problem[],
): readonly Sourced<ReadPod>[] {
  const claims = new Map<string, Sourced<ReadPod>[]>();
  for (const pod of pods) {
    if (pod.value.workload.hostNetwork) continue;
    for (const address of pod.value.workload.addresses) addTo(claims, address, pod);
  }
  const shared = [...claims].filter(([, all]) => all.length > 1);
  const given = new Map<RawObject, readonly string[]>();
  for (const [address, all] of shared) {
    const staying = all.filter(({ value }) => !value.ending);
    const claimants = staying.length === 0 ? all : staying;
    for (const { object } of all) {
      if (!claimants.some((one) => one.object === object)) given.set(object, [...(given.get(object) ?? []), address]);
    }
    const inOrder = claimants.toSorted((a, b) => compareNames(a.value.workload.meta, b.value.workload.meta));
    for (const { object } of inOrder) {
      const other = inOrder.find((one) => one.object !== object);
      if (other === undefined) continue;
      new Notes(object, problems).add("warning", ["status", "podIPs"], {
        code: "duplicate-pod-address",
        reason: `${describeObject(other.object)} claims ${address}, too: calls to it are refused, except where a node has found which Pod has it`,
        remedy: "Give each Pod addresses of its own.",
      });
    }
  }
  return pods.map((pod) => {
    const { object, value } = pod;
    const lost = given.get(object);
    if (lost === undefined) return pod;
    const addresses = value.workload.addresses.filter((address) => !lost.includes(address));
    return { object, value: { ...value, workload: { ...value.workload, addresses } } };
  });
}
