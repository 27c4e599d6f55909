import type { AuthorizationPolicy, PolicyCondition, PolicyRule } from "../model/authorization-policy.ts";
import { namespacedName } from "../model/meta.ts";
import { decides } from "../compile/policy/applicable.ts";
import { l4Rule } from "../compile/policy/l4-policy.ts";
import type { AuthzCall } from "./call.ts";
import { factOf } from "./facts.ts";
import { fieldName, type RulePart } from "./field-name.ts";
import { normalPath } from "./normal-path.ts";

/** One condition, and what the call has in its place. */
export interface ConditionTrace {
  /** As the policy spells it: `rules[0].from[1].source.principals`. */
  readonly field: string;
  readonly holds: boolean;
  readonly found: string;
}

export interface PolicyTrace {
  readonly policy: string;
  readonly action: AuthorizationPolicy["action"];
  /** False for AUDIT and for a dry run. */
  readonly decides: boolean;
  readonly matches: boolean;
  /** The first rule that matches; undefined if none does. */
  readonly rule: number | undefined;
  /** For a rule that matches, its conditions; otherwise the first condition of each rule that fails. */
  readonly because: readonly ConditionTrace[];
}

export interface Verdict {
  readonly verdict: "allowed" | "denied" | "malformed";
  /** The policy that decides; "" if none does. */
  readonly decidedBy: string;
  readonly reason: string;
  /** In the order of evaluation. */
  readonly policies: readonly PolicyTrace[];
}

/** Decides a call as the mesh would (filters/auth/decide.ts), and explains why. `applicablePolicies` orders the policies. */
export function evaluate(policies: readonly AuthorizationPolicy[], call: AuthzCall): Verdict {
  const traces = policies.map((policy) => tracePolicy(policy, call));
  const deciding = traces.filter((trace) => trace.decides);
  const answer = (verdict: Verdict["verdict"], decidedBy: string, reason: string): Verdict => ({
    verdict,
    decidedBy,
    reason,
    policies: traces,
  });
  if (call.protocol === "http" && asksForPath(policies.filter(decides)) && normalPath(call.path) === undefined) {
    return answer("malformed", "", "the path is not a valid path of a URI: the request gets status 400");
  }
  const closed = policies.find((policy) => policy.alwaysDeny);
  if (closed !== undefined) {
    return answer("denied", nameOf(closed), "the policy cannot be read as it is written, and denies every call");
  }
  const denying = deciding.find(({ action, matches }) => action === "DENY" && matches);
  if (denying !== undefined) return answer("denied", denying.policy, `rule ${denying.rule} of a DENY policy matches`);
  const allows = deciding.filter(({ action }) => action === "ALLOW");
  if (allows.length === 0)
    return answer("allowed", "", "no ALLOW policy applies to the destination, and no DENY policy matches");
  const allowing = allows.find(({ matches }) => matches);
  if (allowing !== undefined)
    return answer("allowed", allowing.policy, `rule ${allowing.rule} of an ALLOW policy matches`);
  return answer("denied", "", "ALLOW policies apply to the destination, and none of them matches");
}

/** An invalid path is refused only if a policy asks for the path. */
function asksForPath(policies: readonly AuthorizationPolicy[]): boolean {
  return policies.some(({ rules }) =>
    rules.some(({ from, to, when }) =>
      [...from.flat(), ...to.flat(), ...when].some(({ attribute }) => attribute === "request.path"),
    ),
  );
}

function nameOf({ meta }: AuthorizationPolicy): string {
  return namespacedName(meta.namespace, meta.name);
}

/** As filters/auth/decide.ts: a DENY policy is asked about the caller first, then about the owner of its address. */
function tracePolicy(policy: AuthorizationPolicy, call: AuthzCall): PolicyTrace {
  const trace = traceOf(policy, call);
  if (trace.matches || policy.action !== "DENY" || call.owner === undefined) return trace;
  const ofOwner = traceOf(policy, { ...call, ...call.owner });
  return ofOwner.matches ? ofOwner : trace;
}

function traceOf(policy: AuthorizationPolicy, call: AuthzCall): PolicyTrace {
  const traces = policy.rules.map((rule, index) => {
    const asked = call.protocol === "tcp" ? l4Rule(rule, policy.action) : rule;
    return asked === undefined ? notForTcp(index) : traceRule(asked, index, call);
  });
  const found = traces.findIndex(({ holds }) => holds);
  const matched = traces[found];
  return {
    policy: nameOf(policy),
    action: policy.action,
    decides: decides(policy),
    matches: policy.alwaysDeny || matched !== undefined,
    rule: matched === undefined ? undefined : found,
    because: matched === undefined ? traces.flatMap(({ because }) => because) : matched.because,
  };
}

function notForTcp(index: number): RuleTrace {
  return {
    holds: false,
    because: [{ field: `rules[${index}]`, holds: false, found: "a connection that is not HTTP" }],
  };
}

interface RuleTrace {
  readonly holds: boolean;
  readonly because: readonly ConditionTrace[];
}

function traceRule(rule: PolicyRule, index: number, call: AuthzCall): RuleTrace {
  const at = `rules[${index}]`;
  const parts = [
    traceAlternatives(rule.from, "from", at, call),
    traceAlternatives(rule.to, "to", at, call),
    traceAll(rule.when, "when", at, call),
  ];
  const failed = parts.find(({ holds }) => !holds);
  return failed ?? { holds: true, because: parts.flatMap(({ because }) => because) };
}

function traceAlternatives(
  alternatives: readonly (readonly PolicyCondition[])[],
  place: RulePart,
  rule: string,
  call: AuthzCall,
): RuleTrace {
  if (alternatives.length === 0) return { holds: true, because: [] };
  const traces = alternatives.map((conditions, index) =>
    traceAll(conditions, place, `${rule}.${place}[${index}]`, call),
  );
  return traces.find(({ holds }) => holds) ?? { holds: false, because: traces.flatMap(({ because }) => because) };
}

function traceAll(conditions: readonly PolicyCondition[], place: RulePart, at: string, call: AuthzCall): RuleTrace {
  const traces = conditions.map((condition, index) => traceCondition(condition, place, at, index, call));
  const failed = traces.find(({ holds }) => !holds);
  return failed === undefined ? { holds: true, because: traces } : { holds: false, because: [failed] };
}

function traceCondition(
  condition: PolicyCondition,
  place: RulePart,
  at: string,
  index: number,
  call: AuthzCall,
): ConditionTrace {
  const { values, notValues } = condition;
  const { found, matches } = factOf(condition, call);
  const wanted = values.length === 0 || values.some(matches);
  const unwanted = notValues.some(matches);
  // If the condition has both lists, name the one that decides.
  const negated = values.length === 0 || (wanted && unwanted);
  return { field: fieldName(condition, place, at, index, negated), holds: wanted && !unwanted, found };
}
