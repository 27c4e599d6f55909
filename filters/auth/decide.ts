import { Call } from "./call";
import { ConditionRule } from "./condition";
import { PolicyRule, PolicyRules, PolicySetRules } from "./rules";

const NO_ALLOW = "no_allow_policy_matched";

/**
 * Istio's order: a DENY policy that matches denies; where there are ALLOW policies, one has to match. Returns "" if the call is
 * allowed, else the name of the policy that denies.
 */
export function decide(policies: PolicyRules[], call: Call): string {
  let mustMatch = false;
  let allowed = false;
  for (let i = 0; i < policies.length; i++) {
    const policy = policies[i];
    if (policy.alwaysDeny) return policy.name;
    if (policy.isDeny) {
      if (matches(policy, call) || (policy.readsIdentity && matchesOwner(policy, call))) return policy.name;
    } else {
      mustMatch = true;
      if (!allowed) allowed = matches(policy, call);
    }
  }
  return mustMatch && !allowed ? NO_ALLOW : "";
}

/** The decision that the policies of a dry run would have made. */
export function rehearse(set: PolicySetRules, call: Call): string {
  const denied = decide(set.dryRuns, call);
  return denied.length > 0 ? "denied:" + denied : "allowed";
}

/** The names of the AUDIT policies that match. */
export function audit(set: PolicySetRules, call: Call): string {
  let names = "";
  for (let i = 0; i < set.audits.length; i++) {
    const policy = set.audits[i];
    if (matches(policy, call)) names = names.length == 0 ? policy.name : names + "," + policy.name;
  }
  return names;
}

/** A DENY policy about callers denies also plaintext from the address of such a caller. */
function matchesOwner(policy: PolicyRules, call: Call): bool {
  if (!call.becomeOwner()) return false;
  const result = matches(policy, call);
  call.becomeCaller();
  return result;
}

function matches(policy: PolicyRules, call: Call): bool {
  for (let i = 0; i < policy.rules.length; i++) if (ruleHolds(policy.rules[i], call)) return true;
  return false;
}

function ruleHolds(rule: PolicyRule, call: Call): bool {
  return oneHolds(rule.from, call) && oneHolds(rule.to, call) && allHold(rule.when, call);
}

function oneHolds(alternatives: ConditionRule[][], call: Call): bool {
  for (let i = 0; i < alternatives.length; i++) if (allHold(alternatives[i], call)) return true;
  return alternatives.length == 0;
}

function allHold(conditions: ConditionRule[], call: Call): bool {
  for (let i = 0; i < conditions.length; i++) if (!conditions[i].holds(call)) return false;
  return true;
}
