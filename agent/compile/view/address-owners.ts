import { addTo } from "../../lib/group-by.ts";
import { remotePod } from "../../model/exchange.ts";
import type { Node } from "../../model/node.ts";
import type { Workload } from "../../model/workload.ts";
import type { CompileOptions } from "./options.ts";

/** Which pod has which address. Nothing else says so: no EndpointSlice, no Service, no route. */
export interface AddressOwners {
  readonly byAddress: ReadonlyMap<string, Workload>;
  /**
   * Addresses that several live pods claim, or a pod and another node, where the mesh has one of the pods at least. None is
   * trusted with it, and connections of captured pods to it are refused.
   */
  readonly contested: ReadonlySet<string>;
}

type Proofs = Pick<CompileOptions, "node" | "pods" | "remoteCaptured">;

/**
 * A Pod's status claims addresses. What the pod's own node has found in its network namespace proves a claim, and refutes
 * the pod's other claims. A proven claim counts against claims without a proof.
 *
 * A pod does not have an address of its own node. Of another node it has one if that is proven; then either the pod or the
 * Node object may lie, and neither is trusted. Where the source has no Node objects, pods with `hostNetwork` claim nodes'
 * addresses, without a proof.
 */
export function addressOwners(alive: readonly Workload[], nodes: readonly Node[], proofs: Proofs): AddressOwners {
  const nodeNames = new Map(
    nodes.flatMap(({ name, addresses }) => addresses.map((address) => [address, name] as const)),
  );
  const onHost = nodes.length > 0 ? [] : alive.filter(({ hostNetwork }) => hostNetwork);
  const ofNodes = new Set(onHost.flatMap(({ addresses }) => addresses));
  const claims = new Map<string, { readonly workload: Workload; readonly proven: boolean }[]>();
  for (const workload of alive) {
    if (workload.hostNetwork) continue;
    const proven = provenAddresses(workload, proofs);
    for (const address of workload.addresses) {
      const node = nodeNames.get(address);
      const isOfNode = proven === undefined ? node !== undefined || ofNodes.has(address) : node === workload.node;
      if (isOfNode || proven?.includes(address) === false) continue;
      addTo(claims, address, { workload, proven: proven !== undefined });
    }
  }
  const byAddress = new Map<string, Workload>();
  const contested = new Set<string>();
  for (const [address, all] of claims) {
    const proven = all.filter((claim) => claim.proven);
    const [first, ...others] = proven.length > 0 ? proven : all;
    if (first !== undefined && others.length === 0 && !nodeNames.has(address)) byAddress.set(address, first.workload);
    else if (all.some(({ workload }) => workload.enrolled)) contested.add(address);
  }
  return { byAddress, contested };
}

/** undefined: the pod's node has not told which addresses it has. */
function provenAddresses(workload: Workload, { node, pods, remoteCaptured }: Proofs): readonly string[] | undefined {
  return workload.node === node ? pods.get(workload.uid)?.addresses : remoteCaptured.get(remotePod(workload));
}

/** The same owners as before if nothing in them changed, so that what follows from them need not be computed again. */
export function sameOwners(before: AddressOwners | undefined, now: AddressOwners): AddressOwners {
  if (before === undefined) return now;
  const isSame =
    before.byAddress.size === now.byAddress.size &&
    before.contested.size === now.contested.size &&
    [...now.byAddress].every(([address, workload]) => before.byAddress.get(address) === workload) &&
    [...now.contested].every((address) => before.contested.has(address));
  return isSame ? before : now;
}
