import { isLocalOnly } from "../lib/ip-address.ts";
import type { Node } from "../model/node.ts";
import { describeObject } from "../model/object-ref.ts";
import type { ReadPod } from "./pod.ts";

/** What has an address, or what the address is for, so that no Service may have it; undefined: a Service may. */
export type HeldAddresses = (address: string) => string | undefined;

/** Addresses of pods and of nodes, and those that mean something else in every network namespace. */
export function heldAddresses(pods: readonly ReadPod[], nodes: readonly Node[]): HeldAddresses {
  const held = new Map<string, string>();
  for (const { workload } of pods) {
    const what = workload.hostNetwork ? "an address of a node" : `the address of ${describeObject(workload.meta)}`;
    for (const address of workload.addresses) held.set(address, what);
  }
  for (const node of nodes) for (const address of node.addresses) held.set(address, `an address of Node ${node.name}`);
  return (address) =>
    held.get(address) ?? (isLocalOnly(address) ? "an address for use within a node or its link" : undefined);
}
