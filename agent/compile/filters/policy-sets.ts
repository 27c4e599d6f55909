import type { AuthorizationPolicy } from "../../model/authorization-policy.ts";
import type { Workload } from "../../model/workload.ts";
import type { ServiceTarget } from "../destinations.ts";
import type { NodeView } from "../node-view.ts";
import type { FilterPolicy, FilterPolicySet } from "./filter-config.ts";

/** Who is guarded by what. The id of a set is the names of its policies, so that it is stable and can be read in a dump. */
export interface PolicySets {
  /** undefined: no policy guards it. */
  setOf(workload: Workload | undefined): string | undefined;
  /** The set and port that all backends share; "mixed" where they differ; undefined where none is guarded. */
  guardOf(target: Pick<ServiceTarget, "backends">): TargetGuard;
  readonly sets: readonly FilterPolicySet[];
}

export type TargetGuard =
  | { readonly kind: "none" }
  | { readonly kind: "uniform"; readonly policySet: string; readonly port: number }
  | { readonly kind: "mixed" };

export function policySets(view: NodeView, rootNamespace: string): PolicySets {
  const byUid = new Map<string, string>();
  const sets = new Map<string, FilterPolicySet>();
  for (const workload of view.mesh.workloads) {
    // Policy is enforced by the mesh, so it guards what is in the mesh.
    if (!workload.enrolled || workload.terminated) continue;
    const policies = view.mesh.authorizationPolicies.filter((policy) => selects(policy, workload, rootNamespace));
    if (policies.length === 0) continue;
    const id = policies.map(policyName).join(",");
    byUid.set(workload.uid, id);
    if (!sets.has(id)) sets.set(id, { id, policies: policies.map(filterPolicy) });
  }
  const setOf = (workload: Workload | undefined): string | undefined =>
    workload === undefined ? undefined : byUid.get(workload.uid);
  return {
    setOf,
    guardOf(target) {
      // Nobody is guarded: so backends that nobody asks for need not be made.
      if (sets.size === 0) return { kind: "none" };
      const { backends } = target;
      const [first, ...rest] = backends;
      if (first === undefined) return { kind: "none" };
      const policySet = setOf(first.workload);
      if (rest.some((other) => setOf(other.workload) !== policySet)) return { kind: "mixed" };
      if (policySet === undefined) return { kind: "none" };
      return rest.some((other) => other.port !== first.port)
        ? { kind: "mixed" }
        : { kind: "uniform", policySet, port: first.port };
    },
    sets: [...sets.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  };
}

function selects(policy: AuthorizationPolicy, workload: Workload, rootNamespace: string): boolean {
  const { namespace } = policy.meta;
  if (namespace !== workload.meta.namespace && namespace !== rootNamespace) return false;
  return Object.entries(policy.selector).every(([label, value]) => workload.meta.labels[label] === value);
}

function policyName(policy: AuthorizationPolicy): string {
  return `${policy.meta.namespace}/${policy.meta.name}`;
}

function filterPolicy(policy: AuthorizationPolicy): FilterPolicy {
  const { action, alwaysDeny, rules } = policy;
  return { name: policyName(policy), deny: action === "DENY", alwaysDeny, rules };
}
