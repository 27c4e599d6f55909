import type { EndpointSlice } from "../model/endpoint.ts";
import { namespacedName } from "../model/meta.ts";
import { describeObject } from "../model/object-ref.ts";
import type { Problem } from "../model/problem.ts";
import type { Workload } from "../model/workload.ts";
import type { Sourced } from "./address-conflicts.ts";
import { Notes } from "./notes.ts";

/** Reports the first endpoint of each EndpointSlice with a `targetRef` to a pod that does not have the endpoint's address. */
export function checkEndpointTargets(
  slices: readonly Sourced<EndpointSlice>[],
  workloads: readonly Workload[],
  problems: Problem[],
): void {
  const alive = workloads.filter(({ terminated }) => !terminated);
  const byName = new Map(alive.map((pod) => [namespacedName(pod.meta.namespace, pod.meta.name), pod]));
  const byAddress = new Map(
    alive.filter(({ hostNetwork }) => !hostNetwork).flatMap((pod) => pod.addresses.map((each) => [each, pod] as const)),
  );
  for (const { object, value } of slices) {
    const reason = value.endpoints.map((endpoint) => wrongTarget(endpoint, value.meta.namespace)).find(Boolean);
    if (reason === undefined) continue;
    new Notes(object, problems).add("warning", ["endpoints"], {
      code: "endpoint-not-its-pod",
      reason,
      remedy: "Correct the address or targetRef; only the address says which pod an endpoint is.",
    });
  }

  function wrongTarget({ addresses, pod }: EndpointSlice["endpoints"][number], namespace: string): string | undefined {
    if (pod === undefined) return undefined;
    const named = byName.get(namespacedName(namespace, pod));
    for (const address of addresses) {
      if (named?.addresses.includes(address) === true) continue;
      const owner = byAddress.get(address);
      if (owner !== undefined)
        return `targetRef names Pod ${namespace}/${pod}, and ${address} belongs to ${describeObject(owner.meta)}: calls go to that one, as it is`;
      if (named?.enrolled === true)
        return `targetRef names ${describeObject(named.meta)}, which does not have ${address}: the endpoint is not called`;
    }
    return undefined;
  }
}
