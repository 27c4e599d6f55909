import type { AuthorizationPolicy, PolicyCondition, PolicyRule } from "../../model/authorization-policy.ts";
import { namespacedName } from "../../model/meta.ts";
import type { Mesh } from "../../model/mesh.ts";
import type { Workload } from "../../model/workload.ts";

/** Which policies guard a workload, in the order in which they are decided. */
export type PoliciesOf = (workload: Workload) => readonly AuthorizationPolicy[];

export interface PolicyScope {
  readonly rootNamespace: string;
  readonly trustDomain: string;
}

/** As Istio orders them: what cannot be decided (CUSTOM) first, then DENY, then ALLOW; what never decides comes last. */
export function applicablePolicies(mesh: Mesh, { rootNamespace, trustDomain }: PolicyScope): PoliciesOf {
  const policies = mesh.authorizationPolicies
    .map((policy) => ({ ...policy, rules: policy.rules.map((rule) => inTrustDomain(rule, trustDomain)) }))
    .toSorted((a, b) => rank(a) - rank(b));
  const behind = podsBySlices(mesh);
  return (workload) => policies.filter((policy) => selects(policy, workload, rootNamespace, behind));
}

/** Does it decide about calls, or only mark them? */
export function decides(policy: AuthorizationPolicy): boolean {
  return !policy.dryRun && policy.action !== "AUDIT";
}

function rank(policy: AuthorizationPolicy): number {
  if (!decides(policy)) return 3;
  if (policy.alwaysDeny) return 0;
  return policy.action === "DENY" ? 1 : 2;
}

function selects(
  policy: AuthorizationPolicy,
  workload: Workload,
  rootNamespace: string,
  behind: (namespace: string, service: string) => ReadonlySet<string>,
): boolean {
  const { namespace } = policy.meta;
  const { meta } = workload;
  const carries = (labels: Readonly<Record<string, string>>): boolean =>
    Object.entries(labels).every(([label, value]) => meta.labels[label] === value);
  return policy.targets.some((target) => {
    if (target.kind === "labels") {
      return (namespace === meta.namespace || namespace === rootNamespace) && carries(target.labels);
    }
    if (namespace !== meta.namespace) return false;
    // By its selector a pod is guarded before it is ready, too.
    if (Object.keys(target.labels).length > 0) return carries(target.labels);
    const known = behind(namespace, target.name);
    return known.has(meta.name) || workload.addresses.some((address) => known.has(address));
  });
}

/** Names and addresses of the pods behind a Service that says by EndpointSlices alone which they are. */
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

/** In a policy `cluster.local` is the mesh's own trust domain, whatever that is called (Istio, "trust domain"). */
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
