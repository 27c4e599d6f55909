import type { AuthorizationPolicy, PolicyCondition, PolicyRule } from "../../model/authorization-policy.ts";
import { namespacedName } from "../../model/meta.ts";
import { decides } from "../policy/applicable.ts";
import { l4Policy, type L4Policy } from "../policy/l4-policy.ts";
import type { FilterPolicy } from "./filter-config.ts";
import type { PartCheck } from "./part-check.ts";

/** What the filters are told of policies. One policy may be in very many sets, so each is made once. */
export interface FilterPolicies {
  readonly http: (policy: AuthorizationPolicy) => FilterPolicy;
  /** For connections whose bytes are not read. */
  readonly tcp: (policy: AuthorizationPolicy) => FilterPolicy;
}

export function filterPolicies(): FilterPolicies {
  return { http: once(filterPolicy), tcp: once((policy) => filterPolicy(l4Policy(policy))) };
}

/** Policies, in which those that the filters refuse deny every call to what they select. Those that only report are left out. */
export function readablePolicies(
  policies: readonly AuthorizationPolicy[],
  { http, tcp }: FilterPolicies,
  check: PartCheck,
): readonly AuthorizationPolicy[] {
  const refusals = (some: readonly AuthorizationPolicy[]): ReadonlyMap<AuthorizationPolicy, string> => {
    const written = some.map((policy) => ({ policy, told: [http(policy), tcp(policy)], by: policy.meta }));
    const refused = check.refused(written, (told) => ({
      policySets: [{ id: "", policies: told.flat(), jwtRules: [] }],
    }));
    return new Map([...refused].map(([{ policy }, reason]) => [policy, reason]));
  };
  const refused = refusals(policies);
  if (refused.size === 0) return policies;
  for (const [policy, reason] of refused) check.report(policy.meta, reason, lossOf(policy));
  const denying = new Map([...refused.keys()].filter(decides).map((policy) => [policy, denies(policy)]));
  const nameless = refusals([...denying.values()]);
  return policies.flatMap((policy) => {
    if (!refused.has(policy)) return [policy];
    const denial = denying.get(policy);
    if (denial === undefined) return [];
    return nameless.has(denial) ? [{ ...denial, meta: { ...denial.meta, name: "refused-by-filters" } }] : [denial];
  });
}

function denies({ meta, targets }: AuthorizationPolicy): AuthorizationPolicy {
  return { meta, targets, action: "DENY", dryRun: false, alwaysDeny: true, rules: [] };
}

function lossOf(policy: AuthorizationPolicy): string {
  return decides(policy) ? "the pods that it selects refuse every call" : "the access log shows nothing of it";
}

export function policyName({ meta }: Pick<AuthorizationPolicy, "meta">): string {
  return namespacedName(meta.namespace, meta.name);
}

function filterPolicy(policy: AuthorizationPolicy | L4Policy): FilterPolicy {
  const { action, dryRun, alwaysDeny } = policy;
  return { name: policyName(policy), action, dryRun, alwaysDeny, rules: policy.rules.map(filterRule) };
}

// Exactly the fields that the filters read.

function filterRule({ from, to, when }: PolicyRule): PolicyRule {
  return { from: from.map(filterConditions), to: to.map(filterConditions), when: filterConditions(when) };
}

function filterConditions(conditions: readonly PolicyCondition[]): readonly PolicyCondition[] {
  return conditions.map(({ attribute, path, values, notValues }) => ({ attribute, path, values, notValues }));
}

function once<T, R>(make: (from: T) => R): (from: T) => R {
  const made = new Map<T, R>();
  return (from) => {
    const known = made.get(from);
    if (known !== undefined) return known;
    const result = make(from);
    made.set(from, result);
    return result;
  };
}
