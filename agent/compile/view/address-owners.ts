import type { Workload } from "../../model/workload.ts";
import { remotePod } from "../../model/exchange.ts";
import type { CompileOptions } from "./options.ts";

/** Which pod has which address. Nothing else says so: no EndpointSlice, no Service, no route. */
export interface AddressOwners {
  readonly byAddress: ReadonlyMap<string, Workload>;
  /**
   * Addresses that several live pods claim, of which the mesh has one at least. None of the pods is trusted with it, and
   * connections of captured pods to it are refused.
   */
  readonly contested: ReadonlySet<string>;
}

type Proofs = Pick<CompileOptions, "node" | "pods" | "remoteCaptured">;

/**
 * A Pod's status claims addresses. What the pod's own node has found in its network namespace proves a claim, and refutes
 * the pod's other claims. A proven claim counts against claims without a proof.
 */
export function addressOwners(alive: readonly Workload[], proofs: Proofs): AddressOwners {
  const claims = new Map<string, { readonly workload: Workload; readonly proven: boolean }[]>();
  // A pod with `hostNetwork` shares its node's addresses, and no other pod has one of those, whatever its status says.
  const ofNodes = new Set(alive.filter(({ hostNetwork }) => hostNetwork).flatMap(({ addresses }) => addresses));
  for (const workload of alive) {
    if (workload.hostNetwork) continue;
    const proven = provenAddresses(workload, proofs);
    for (const address of workload.addresses) {
      if (ofNodes.has(address) || (proven !== undefined && !proven.includes(address))) continue;
      const claim = { workload, proven: proven !== undefined };
      const others = claims.get(address);
      if (others === undefined) claims.set(address, [claim]);
      else others.push(claim);
    }
  }
  const byAddress = new Map<string, Workload>();
  const contested = new Set<string>();
  for (const [address, all] of claims) {
    const proven = all.filter((claim) => claim.proven);
    const [first, ...others] = proven.length > 0 ? proven : all;
    if (first !== undefined && others.length === 0) byAddress.set(address, first.workload);
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
