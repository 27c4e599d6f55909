import type { Endpoint } from "../../model/endpoint.ts";
import { namespacedName, type NamespacedName } from "../../model/meta.ts";
import type { Workload } from "../../model/workload.ts";
import type { AddressOwners } from "./address-owners.ts";

/**
 * The pods behind endpoints. The address alone says which pod that is: whoever may write an EndpointSlice may put any name
 * into `targetRef`.
 */
export class EndpointOwners {
  readonly #owners: AddressOwners;
  readonly #podsByName: ReadonlyMap<NamespacedName, Workload>;

  constructor(alive: readonly Workload[], owners: AddressOwners) {
    this.#owners = owners;
    this.#podsByName = new Map(alive.map((pod) => [namespacedName(pod.meta.namespace, pod.meta.name), pod]));
  }

  /**
   * `workload` undefined: the mesh knows no pod with the address. undefined: no call may go there, as nobody is trusted with the
   * address, or as the endpoint is meant to be a pod of the mesh that does not have the address.
   */
  of({ pod }: Endpoint, namespace: string, address: string): { readonly workload: Workload | undefined } | undefined {
    if (this.#owners.contested.has(address)) return undefined;
    const workload = this.#owners.byAddress.get(address);
    if (workload !== undefined || pod === undefined) return { workload };
    const named = this.#podsByName.get(namespacedName(namespace, pod));
    if (named?.enrolled === true) return undefined;
    // Metrics name a pod that has its node's address.
    return { workload: named?.hostNetwork === true && named.addresses.includes(address) ? named : undefined };
  }
}
