import { canonicalAddress, isLocalOnly } from "../lib/ip-address.ts";
import { describeObject } from "../model/object-ref.ts";
import type { ReadPod } from "./pod.ts";
import type { RawObject } from "./raw-object.ts";

/** What has an address, or what the address is for, so that no Service may have it; undefined: a Service may. */
export type HeldAddresses = (address: string) => string | undefined;

/** Addresses of pods and of nodes, and those that mean something else in every network namespace. */
export function heldAddresses(pods: readonly ReadPod[], nodes: readonly RawObject[]): HeldAddresses {
  const held = new Map<string, string>();
  for (const { workload } of pods) {
    const what = workload.hostNetwork ? "an address of a node" : `the address of ${describeObject(workload.meta)}`;
    for (const address of workload.addresses) held.set(address, what);
  }
  for (const node of nodes)
    for (const address of addressesOf(node)) held.set(address, `an address of Node ${node.name}`);
  return (address) =>
    held.get(address) ?? (isLocalOnly(address) ? "an address for use within a node or its link" : undefined);
}

/** NodeStatus.addresses, which also holds host names. */
function addressesOf({ value }: RawObject): readonly string[] {
  const addresses = fieldOf(fieldOf(value, "status"), "addresses");
  if (!Array.isArray(addresses)) return [];
  return addresses.flatMap((entry) => {
    const text = fieldOf(entry, "address");
    return typeof text === "string" ? (canonicalAddress(text) ?? []) : [];
  });
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}
