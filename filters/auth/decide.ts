import { Bytes } from "../bytes";
import { Peer, UNKNOWN } from "../peer";
import { NO_IDENTITY, RequestIdentity } from "./request-identity";
import { OperationRule, PolicyRule, PolicySetRules, SourceRule } from "./rules";

/** What policies can ask about a call; only what they do ask is filled in. */
export class Call {
  source: Peer = UNKNOWN;
  readonly principal: Bytes = new Bytes();
  readonly namespace: Bytes = new Bytes();
  /** The source's address, 16 bytes; null for what is none. */
  address: StaticArray<u8> | null = null;
  readonly host: Bytes = new Bytes();
  readonly method: Bytes = new Bytes();
  readonly path: Bytes = new Bytes();
  readonly port: Bytes = new Bytes();
  /** What a verified token says; set by whoever verifies it. */
  identity: RequestIdentity = NO_IDENTITY;

  begin(source: Peer): void {
    this.source = source;
    this.principal.of(source.identity);
    this.namespace.of(source.identityNamespace);
    this.address = null;
    this.host.clear();
    this.method.clear();
    this.path.clear();
    this.port.clear();
    this.identity = NO_IDENTITY;
  }
}

/**
 * Istio's order: a DENY policy that matches denies; where there are ALLOW policies, one has to match. "" allows; else the
 * name of what denied.
 */
export function decide(set: PolicySetRules, call: Call): string {
  let mustMatch = false;
  let allowed = false;
  for (let i = 0; i < set.policies.length; i++) {
    const policy = set.policies[i];
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

function anyRule(rules: PolicyRule[], call: Call): bool {
  for (let i = 0; i < rules.length; i++) {
    if (anySource(rules[i].sources, call) && anyOperation(rules[i].operations, call)) return true;
  }
  return false;
}

function anySource(sources: SourceRule[], call: Call): bool {
  for (let i = 0; i < sources.length; i++) if (sourceHolds(sources[i], call)) return true;
  return sources.length == 0;
}

function anyOperation(operations: OperationRule[], call: Call): bool {
  for (let i = 0; i < operations.length; i++) if (operationHolds(operations[i], call)) return true;
  return operations.length == 0;
}

function sourceHolds(source: SourceRule, call: Call): bool {
  return (
    source.principals.holds(call.principal) &&
    source.namespaces.holds(call.namespace) &&
    source.ipBlocks.holds(call.address)
  );
}

function operationHolds(operation: OperationRule, call: Call): bool {
  return (
    operation.hosts.holds(call.host) &&
    operation.methods.holds(call.method) &&
    operation.paths.holds(call.path) &&
    operation.ports.holds(call.port)
  );
}
