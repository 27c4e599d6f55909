import { compareText } from "../lib/compare.ts";
import type { Problem } from "../model/problem.ts";
import { describeObject } from "../model/object-ref.ts";
import { Notes } from "./notes.ts";
import type { ReadPod } from "./pod.ts";
import type { RawObject } from "./raw-object.ts";
import type { ReadService } from "./service.ts";

/** A value with the object that it was read from. */
export interface Sourced<T> {
  readonly object: RawObject;
  readonly value: T;
}

type Meta = { readonly creationTimestamp: string; readonly namespace: string; readonly name: string };

function compareNames(a: Meta, b: Meta): number {
  return compareText(a.namespace, b.namespace) || compareText(a.name, b.name);
}

/** Removes a virtual address from a Service if an older Service has the same address and port. */
export function withoutSharedClusterIPs(
  services: readonly Sourced<ReadService>[],
  problems: Problem[],
): readonly Sourced<ReadService>[] {
  const holders = new Map<string, RawObject>();
  const byAge = [...services].sort(
    ({ value: { service: a } }, { value: { service: b } }) =>
      compareText(a.meta.creationTimestamp, b.meta.creationTimestamp) || compareNames(a.meta, b.meta),
  );
  return byAge.map(({ object, value }) => {
    const clusterIPs = value.service.clusterIPs.filter((address) => {
      const places = value.service.ports.map(({ port }) => `${address} port ${port}`);
      const taken = places.find((place) => holders.has(place));
      if (taken === undefined) {
        for (const place of places) holders.set(place, object);
        return true;
      }
      const holder = holders.get(taken);
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
 * Removes an address from a Pod if a younger Pod has the same one: a cluster gives addresses again, and the input may
 * still list the Pod that had the address before. Pods on the host's network share the node's addresses and keep them.
 */
export function withoutSharedPodAddresses(
  pods: readonly Sourced<ReadPod>[],
  problems: Problem[],
): readonly Sourced<ReadPod>[] {
  const holders = new Map<string, RawObject>();
  const byAge = [...pods].sort(
    ({ value: { workload: a } }, { value: { workload: b } }) =>
      compareText(b.meta.creationTimestamp, a.meta.creationTimestamp) || compareNames(a.meta, b.meta),
  );
  return byAge.map(({ object, value }) => {
    if (value.workload.hostNetwork) return { object, value };
    const addresses = value.workload.addresses.filter((address) => {
      const holder = holders.get(address);
      if (holder === undefined) {
        holders.set(address, object);
        return true;
      }
      new Notes(object, problems).add("warning", ["status", "podIPs"], {
        code: "duplicate-pod-address",
        reason: `${address} belongs to ${describeObject(holder)}`,
        remedy: "Give each Pod addresses of its own.",
      });
      return false;
    });
    if (addresses.length === value.workload.addresses.length) return { object, value };
    return { object, value: { ...value, workload: { ...value.workload, addresses } } };
  });
}
