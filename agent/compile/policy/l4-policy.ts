import type {
  AuthorizationPolicy,
  PolicyAttribute,
  PolicyCondition,
  PolicyRule,
} from "../../model/authorization-policy.ts";

/**
 * What is known of a connection whose bytes are not read. The server name in an application's own TLS is among the
 * bytes.
 */
const L4_ATTRIBUTES = [
  "source.principal",
  "source.namespace",
  "source.serviceAccount",
  "source.ip",
  "remote.ip",
  "destination.ip",
  "destination.port",
] as const satisfies readonly PolicyAttribute[];

export type L4Attribute = (typeof L4_ATTRIBUTES)[number];

export interface L4Condition extends PolicyCondition {
  readonly attribute: L4Attribute;
}

export interface L4Rule {
  readonly from: readonly (readonly L4Condition[])[];
  readonly to: readonly (readonly L4Condition[])[];
  readonly when: readonly L4Condition[];
}

/** A policy for connections. */
export interface L4Policy extends Pick<AuthorizationPolicy, "meta" | "action" | "dryRun" | "alwaysDeny"> {
  readonly rules: readonly L4Rule[];
}

/**
 * Reduces a policy to conditions on a TCP connection, as Istio does ("Authorization for TCP traffic"). An ALLOW rule
 * with a condition on HTTP allows no connection. In a DENY or AUDIT rule a condition on HTTP counts as matched, so that
 * the rule denies more, never less.
 */
export function l4Policy(policy: AuthorizationPolicy): L4Policy {
  const { meta, action, dryRun, alwaysDeny } = policy;
  const rules = policy.rules.map((rule) => l4Rule(rule, action)).filter((rule) => rule !== undefined);
  return { meta, action, dryRun, alwaysDeny, rules };
}

/** The same for one rule; undefined: no connection matches it. */
export function l4Rule({ from, to, when }: PolicyRule, action: AuthorizationPolicy["action"]): L4Rule | undefined {
  if (action === "ALLOW" && ![...from.flat(), ...to.flat(), ...when].every(isL4)) return undefined;
  return { from: alternatives(from), to: alternatives(to), when: when.filter(isL4) };
}

/** If one of several alternatives has no condition left, every connection matches, and the others do not count. */
function alternatives(parts: readonly (readonly PolicyCondition[])[]): readonly (readonly L4Condition[])[] {
  const reduced = parts.map((part) => part.filter(isL4));
  return reduced.some((part) => part.length === 0) ? [] : reduced;
}

function isL4(condition: PolicyCondition): condition is L4Condition {
  return L4_ATTRIBUTES.some((attribute) => attribute === condition.attribute);
}
