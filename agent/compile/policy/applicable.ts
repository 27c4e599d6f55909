import type { AuthorizationPolicy, PolicyCondition, PolicyRule } from "../../model/authorization-policy.ts";
import type { Mesh } from "../../model/mesh.ts";
import type { Workload } from "../../model/workload.ts";
import { selection } from "./selection.ts";

/** The policies that guard a workload, in the order in which they are evaluated. */
export type PoliciesOf = (workload: Workload) => readonly AuthorizationPolicy[];

export interface PolicyScope {
  readonly rootNamespace: string;
  readonly trustDomain: string;
}

/**
 * Istio's order: policies that cannot be evaluated (CUSTOM), then DENY, then ALLOW; last, policies that only report. `replace`:
 * puts other policies in the place of some.
 */
export function applicablePolicies(
  mesh: Mesh,
  { rootNamespace, trustDomain }: PolicyScope,
  replace: (policies: readonly AuthorizationPolicy[]) => readonly AuthorizationPolicy[] = (policies) => policies,
): PoliciesOf {
  const written = mesh.authorizationPolicies.map((policy) => ({
    ...policy,
    rules: policy.rules.map((rule) => inTrustDomain(rule, trustDomain)),
  }));
  const policies = replace(written).toSorted((a, b) => rank(a) - rank(b));
  const selects = selection(mesh, rootNamespace);
  return (workload) => policies.filter((policy) => selects(policy, workload));
}

/** true: the policy decides about calls; false: it only reports (AUDIT, dry run). */
export function decides(policy: AuthorizationPolicy): boolean {
  return !policy.dryRun && policy.action !== "AUDIT";
}

function rank(policy: AuthorizationPolicy): number {
  if (!decides(policy)) return 3;
  if (policy.alwaysDeny) return 0;
  return policy.action === "DENY" ? 1 : 2;
}

/** In a policy `cluster.local` stands for the mesh's own trust domain, whatever its name is (Istio, "trust domain"). */
function inTrustDomain(rule: PolicyRule, trustDomain: string): PolicyRule {
  if (trustDomain === LOCAL) return rule;
  const rename = (value: string): string =>
    value.startsWith(`${LOCAL}/`) ? `${trustDomain}${value.slice(LOCAL.length)}` : value;
  const convert = (condition: PolicyCondition): PolicyCondition =>
    condition.attribute === "source.principal"
      ? { ...condition, values: condition.values.map(rename), notValues: condition.notValues.map(rename) }
      : condition;
  return {
    from: rule.from.map((source) => source.map(convert)),
    to: rule.to,
    when: rule.when.map(convert),
  };
}

const LOCAL = "cluster.local";
