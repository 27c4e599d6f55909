import type {
  AuthorizationPolicy,
  PolicyAttribute,
  PolicyCondition,
  PolicyRule,
} from "../../model/authorization-policy.ts";

/** What is known of a connection whose bytes are not read. The server's name in an application's own TLS is among the bytes. */
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

/** A policy as it is decided for a connection. */
export interface L4Policy extends Pick<AuthorizationPolicy, "meta" | "action" | "dryRun" | "alwaysDeny"> {
  readonly rules: readonly L4Rule[];
}

/**
 * Reduces a policy to what a TCP connection can be judged by, as Istio does ("Authorization for TCP traffic"). An ALLOW rule
 * that asks for anything of HTTP allows no connection. Of a DENY (or AUDIT) rule what asks for HTTP is taken to match, so that
 * it denies more, never less.
 */
export function l4Policy(policy: AuthorizationPolicy): L4Policy {
  const { meta, action, dryRun, alwaysDeny } = policy;
  const rules = policy.rules.map((rule) => l4Rule(rule, action)).filter((rule) => rule !== undefined);
  return { meta, action, dryRun, alwaysDeny, rules };
}

/** The same of one rule; undefined for one that no connection fits. */
export function l4Rule({ from, to, when }: PolicyRule, action: AuthorizationPolicy["action"]): L4Rule | undefined {
  if (action === "ALLOW" && ![...from.flat(), ...to.flat(), ...when].every(isL4)) return undefined;
  return { from: alternatives(from), to: alternatives(to), when: when.filter(isL4) };
}

/** Where nothing is left of one of several alternatives, any connection fits it, and the others need not be asked. */
function alternatives(parts: readonly (readonly PolicyCondition[])[]): readonly (readonly L4Condition[])[] {
  const reduced = parts.map((part) => part.filter(isL4));
  return reduced.some((part) => part.length === 0) ? [] : reduced;
}

function isL4(condition: PolicyCondition): condition is L4Condition {
  return L4_ATTRIBUTES.some((attribute) => attribute === condition.attribute);
}
