import type { AuthorizationPolicy, PolicyRule } from "../../model/authorization-policy.ts";
import type { Mesh } from "../../model/mesh.ts";
import { namespacedName } from "../../model/meta.ts";
import type { Problem } from "../../model/problem.ts";
import { outboundMode, type ServiceTarget } from "../view/destinations.ts";
import { applicablePolicies, decides, type PolicyScope } from "../policy/applicable.ts";
import { l4Rule } from "../policy/l4-policy.ts";

/**
 * Rules about HTTP mean something else on a TCP port. A DENY rule may have no condition left there, and then denies
 * every connection; an ALLOW rule matches none. The author of such a rule needs to know where this happens.
 */
export function tcpProblems(mesh: Mesh, targets: readonly ServiceTarget[], scope: PolicyScope): readonly Problem[] {
  // Without such a rule the backends need not be computed.
  if (!mesh.authorizationPolicies.some((policy) => surprises(policy).length > 0)) return [];
  const policiesOf = applicablePolicies(mesh, scope);
  const problems = new Map<string, Problem>();
  for (const { service, port, backends: all } of targets) {
    if (outboundMode(port.protocol) !== "tcp") continue;
    // Another namespace's Service says nothing about a pod's ports.
    const backends = all.filter(({ workload }) => workload?.meta.namespace === service.meta.namespace);
    const ports = backends.map((backend) => String(backend.port));
    const where = `port ${port.port} of Service ${namespacedName(service.meta.namespace, service.meta.name)}`;
    const guarding = new Set(
      backends.flatMap(({ workload }) => (workload?.enrolled === true ? policiesOf(workload) : [])),
    );
    for (const policy of guarding) {
      for (const index of surprises(policy)) {
        if (isForOthers(policy.rules[index], ports)) continue;
        const key = `${namespacedName(policy.meta.namespace, policy.meta.name)} ${index}`;
        if (!problems.has(key)) problems.set(key, problem(policy, index, where));
      }
    }
  }
  return [...problems.values()];
}

/** Indices of the rules whose meaning for connections differs from their text. */
function surprises(policy: AuthorizationPolicy): readonly number[] {
  if (!decides(policy)) return [];
  return policy.rules.flatMap((rule, index) => (isSurprise(rule, policy.action) ? [index] : []));
}

function isSurprise(rule: PolicyRule, action: AuthorizationPolicy["action"]): boolean {
  const reduced = l4Rule(rule, action);
  if (reduced === undefined) return true;
  const asks = ({ from, to, when }: Pick<PolicyRule, "from" | "to" | "when">): boolean =>
    from.length + to.length + when.length > 0;
  return action === "DENY" && asks(rule) && !asks(reduced);
}

/** The rule names ports, and none of these. */
function isForOthers(rule: PolicyRule | undefined, ports: readonly string[]): boolean {
  const named = rule?.to.map((to) => to.find(({ attribute }) => attribute === "destination.port")?.values ?? []) ?? [];
  return named.length > 0 && named.every((values) => values.length > 0 && !values.some((port) => ports.includes(port)));
}

function problem({ meta, action }: AuthorizationPolicy, index: number, where: string): Problem {
  const reason =
    action === "DENY"
      ? `the rule asks for HTTP alone, which a TCP connection does not have: it denies every connection to ${where}`
      : `the rule asks for HTTP, which a TCP connection does not have: it allows no connection to ${where}`;
  return {
    severity: "warning",
    code: "http-rule-on-tcp-port",
    origin: meta.origin,
    subject: meta,
    field: `spec.rules[${index}]`,
    reason,
    remedy: "Say which ports the rule is for by to.operation.ports, and add a rule for the TCP port if need be.",
  };
}
