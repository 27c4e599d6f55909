import { Operation, Policy, Rule, Source } from "../config";
import { Peer } from "../peer";
import { inAnyBlock } from "./ip-block";
import { holds } from "./string-match";

/** What a policy can ask about a call. */
export class Call {
  constructor(
    readonly source: Peer,
    readonly address: string,
    readonly host: string,
    readonly method: string,
    readonly path: string,
    readonly port: string,
  ) {}
}

/**
 * Istio's order: a DENY policy that matches denies; where there are ALLOW policies, one has to match. "" allows; else the
 * name of what denied.
 */
export function decide(policies: Policy[], call: Call): string {
  let mustMatch = false;
  let allowed = false;
  for (let i = 0; i < policies.length; i++) {
    const policy = policies[i];
    if (policy.alwaysDeny) return policy.name;
    if (policy.deny) {
      if (anyRule(policy.rules, call)) return policy.name;
    } else {
      mustMatch = true;
      if (!allowed) allowed = anyRule(policy.rules, call);
    }
  }
  return mustMatch && !allowed ? "no_allow_policy_matched" : "";
}

function anyRule(rules: Rule[], call: Call): bool {
  for (let i = 0; i < rules.length; i++) if (ruleHolds(rules[i], call)) return true;
  return false;
}

function ruleHolds(rule: Rule, call: Call): bool {
  return anySource(rule.from, call) && anyOperation(rule.to, call);
}

function anySource(sources: Source[], call: Call): bool {
  for (let i = 0; i < sources.length; i++) if (sourceHolds(sources[i], call)) return true;
  return sources.length == 0;
}

function anyOperation(operations: Operation[], call: Call): bool {
  for (let i = 0; i < operations.length; i++) if (operationHolds(operations[i], call)) return true;
  return operations.length == 0;
}

function sourceHolds(source: Source, call: Call): bool {
  const peer = call.source;
  // Only an identity gives a namespace: an address or a claim does not.
  const namespace = peer.principal.length > 0 ? peer.namespace : "";
  if (!holds(source.principals, source.notPrincipals, peer.principal)) return false;
  if (!holds(source.namespaces, source.notNamespaces, namespace)) return false;
  if (source.ipBlocks.length > 0 && !inAnyBlock(source.ipBlocks, call.address)) return false;
  return !inAnyBlock(source.notIpBlocks, call.address);
}

function operationHolds(operation: Operation, call: Call): bool {
  return (
    holds(operation.hosts, operation.notHosts, call.host) &&
    holds(operation.methods, operation.notMethods, call.method) &&
    holds(operation.paths, operation.notPaths, call.path) &&
    holds(operation.ports, operation.notPorts, call.port)
  );
}
