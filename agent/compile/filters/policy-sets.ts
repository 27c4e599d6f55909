import { compareText } from "../../lib/compare.ts";
import type { AuthorizationPolicy } from "../../model/authorization-policy.ts";
import type { Workload } from "../../model/workload.ts";
import { applicablePolicies, decides } from "../policy/applicable.ts";
import { l4Policy, type L4Policy } from "../policy/l4-policy.ts";
import type { ServiceTarget } from "../view/destinations.ts";
import type { NodeView } from "../view/node-view.ts";
import type { CompileOptions } from "../view/options.ts";
import type { FilterJwtRule, FilterPolicy, FilterPolicySet } from "./filter-config.ts";
import { jwtRules, type WorkloadTokens } from "./jwt-rules.ts";

/** Who is guarded by what. The id of a set is the names of its objects, so that it is stable and can be read in a dump. */
export interface PolicySets {
  /** undefined: neither policies nor rules for tokens speak of it. */
  setOf(workload: Workload | undefined): string | undefined;
  /** The same, of the policies that decide: others only mark calls, and what is no HTTP carries no token. */
  decidingSetOf(workload: Workload | undefined): string | undefined;
  /** The set and port that all backends share; "mixed" where they differ; undefined where none is guarded. */
  guardOf(target: Pick<ServiceTarget, "backends">): TargetGuard;
  readonly sets: readonly FilterPolicySet[];
  /** The same as they are decided for connections whose bytes are not read. */
  readonly tcpSets: readonly FilterPolicySet[];
  readonly jwtRules: readonly FilterJwtRule[];
}

type Scope = Pick<CompileOptions, "rootNamespace" | "trustDomain" | "fetchedKeys">;

export type TargetGuard =
  | { readonly kind: "none" }
  | { readonly kind: "uniform"; readonly policySet: string; readonly port: number }
  | { readonly kind: "mixed" };

export function policySets(view: NodeView, scope: Scope): PolicySets {
  const byUid = new Map<string, string>();
  const sets = new Map<string, FilterPolicySet>();
  const tcpSets: FilterPolicySet[] = [];
  const deciding = new Set<string>();
  const alone = new Set<string>();
  const policiesOf = applicablePolicies(view.mesh, scope);
  const authentications = jwtRules(view.mesh, scope);
  for (const workload of view.mesh.workloads) {
    // Policy is enforced by the mesh, so it guards what is in the mesh.
    if (!workload.enrolled || workload.terminated) continue;
    const policies = policiesOf(workload);
    const tokens = authentications.of(workload);
    if (policies.length === 0 && tokens.names.length === 0) continue;
    const id = [...policies.map(policyName), ...tokens.names.map((name) => `jwt:${name}`)].join(",");
    byUid.set(workload.uid, id);
    if (sets.has(id)) continue;
    sets.set(id, setFrom(id, policies, tokens));
    tcpSets.push(setFrom(id, policies.filter(decides).map(l4Policy), { ...tokens, rules: [] }));
    if (policies.some(decides) || tokens.refused.length > 0) deciding.add(id);
    if (policies.some(asksForAddress)) alone.add(id);
  }
  const setOf = (workload: Workload | undefined): string | undefined =>
    workload === undefined ? undefined : byUid.get(workload.uid);
  return {
    setOf,
    decidingSetOf(workload) {
      const id = setOf(workload);
      return id !== undefined && deciding.has(id) ? id : undefined;
    },
    guardOf(target) {
      // Nobody is guarded: so backends that nobody asks for need not be made.
      if (sets.size === 0) return { kind: "none" };
      const { backends } = target;
      const [first, ...rest] = backends;
      if (first === undefined) return { kind: "none" };
      const policySet = setOf(first.workload);
      if (rest.some((other) => setOf(other.workload) !== policySet)) return { kind: "mixed" };
      if (policySet === undefined) return { kind: "none" };
      // Which address it is, is known when the endpoint is chosen.
      if (alone.has(policySet)) return { kind: "mixed" };
      // Who takes a token away has to be the last to look at it, however many of the pods are on this node at the moment.
      if (sets.get(policySet)?.jwtRules.some(authentications.takesAway) === true) return { kind: "mixed" };
      return rest.some((other) => other.port !== first.port)
        ? { kind: "mixed" }
        : { kind: "uniform", policySet, port: first.port };
    },
    sets: [...sets.values()].toSorted(byId),
    tcpSets: tcpSets.toSorted(byId),
    jwtRules: authentications.rules,
  };
}

function byId(a: FilterPolicySet, b: FilterPolicySet): number {
  return compareText(a.id, b.id);
}

type DecidedPolicy = AuthorizationPolicy | L4Policy;

function setFrom(id: string, policies: readonly DecidedPolicy[], tokens: WorkloadTokens): FilterPolicySet {
  return { id, policies: [...tokens.refused.map(refusal), ...policies.map(filterPolicy)], jwtRules: tokens.rules };
}

/** An object that is not understood stands among the policies, and refuses every call. */
function refusal(name: string): FilterPolicy {
  return { name, action: "DENY", dryRun: false, alwaysDeny: true, rules: [] };
}

/** Only the destination's own listener knows which of its addresses a call has come to. */
function asksForAddress({ rules }: AuthorizationPolicy): boolean {
  return rules.some(({ when }) => when.some(({ attribute }) => attribute === "destination.ip"));
}

function policyName(policy: DecidedPolicy): string {
  return `${policy.meta.namespace}/${policy.meta.name}`;
}

function filterPolicy(policy: DecidedPolicy): FilterPolicy {
  const { action, dryRun, alwaysDeny, rules } = policy;
  return { name: policyName(policy), action, dryRun, alwaysDeny, rules };
}
