import type { PolicyTarget } from "../../model/authorization-policy.ts";
import type { Mesh } from "../../model/mesh.ts";
import { carries, namespacedName, type ObjectMeta } from "../../model/meta.ts";
import type { Workload } from "../../model/workload.ts";

interface Guarding {
  readonly meta: ObjectMeta;
  readonly targets: readonly PolicyTarget[];
}

/** Tells whether an Istio object with targets (a policy, or rules for tokens) applies to a workload. */
export function selection(mesh: Mesh, rootNamespace: string): (object: Guarding, workload: Workload) => boolean {
  const behind = podsBySlices(mesh);
  return (object, workload) => selects(object, workload, rootNamespace, behind);
}

function selects(
  { meta: { namespace }, targets }: Guarding,
  workload: Workload,
  rootNamespace: string,
  behind: (namespace: string, service: string) => ReadonlySet<string>,
): boolean {
  const { meta } = workload;
  return targets.some((target) => {
    if (target.kind === "labels") {
      return (namespace === meta.namespace || namespace === rootNamespace) && carries(meta, target.labels);
    }
    if (namespace !== meta.namespace) return false;
    // By the Service's selector: so policy also guards a pod that is not ready yet.
    if (Object.keys(target.labels).length > 0) return carries(meta, target.labels);
    const known = behind(namespace, target.name);
    return known.has(meta.name) || workload.addresses.some((address) => known.has(address));
  });
}

/** Names and addresses of the pods behind a Service without a selector, from its EndpointSlices. */
function podsBySlices(mesh: Mesh): (namespace: string, service: string) => ReadonlySet<string> {
  const known = new Map<string, ReadonlySet<string>>();
  return (namespace, service) => {
    const key = namespacedName(namespace, service);
    const found =
      known.get(key) ??
      new Set(
        mesh.endpointSlices
          .filter((slice) => slice.service === service && slice.meta.namespace === namespace)
          .flatMap(({ endpoints }) =>
            endpoints.flatMap(({ addresses, pod }) => [...addresses, ...(pod === undefined ? [] : [pod])]),
          ),
      );
    known.set(key, found);
    return found;
  };
}
