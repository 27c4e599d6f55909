import { Operation, Policy, Rule, Source } from "../config";
import { IpBlocks } from "./ip-block";
import { Wanted } from "./pattern";

// Policies as they are asked for each request: nothing of a rule is parsed, decoded or allocated then.

export class SourceRule {
  readonly principals: Wanted;
  readonly namespaces: Wanted;
  readonly ipBlocks: IpBlocks;

  constructor(source: Source) {
    this.principals = new Wanted(source.principals, source.notPrincipals);
    this.namespaces = new Wanted(source.namespaces, source.notNamespaces);
    this.ipBlocks = new IpBlocks(source.ipBlocks, source.notIpBlocks);
  }
}

export class OperationRule {
  readonly hosts: Wanted;
  readonly methods: Wanted;
  readonly paths: Wanted;
  readonly ports: Wanted;

  constructor(operation: Operation) {
    this.hosts = new Wanted(operation.hosts, operation.notHosts);
    this.methods = new Wanted(operation.methods, operation.notMethods);
    this.paths = new Wanted(operation.paths, operation.notPaths);
    this.ports = new Wanted(operation.ports, operation.notPorts);
  }
}

export class PolicyRule {
  readonly sources: SourceRule[];
  readonly operations: OperationRule[];

  constructor(rule: Rule) {
    this.sources = rule.from.map<SourceRule>((source) => new SourceRule(source));
    this.operations = rule.to.map<OperationRule>((operation) => new OperationRule(operation));
  }
}

export class PolicyRules {
  readonly name: string;
  readonly deny: bool;
  readonly alwaysDeny: bool;
  readonly rules: PolicyRule[];

  constructor(policy: Policy) {
    this.name = policy.name;
    this.deny = policy.deny;
    this.alwaysDeny = policy.alwaysDeny;
    this.rules = policy.rules.map<PolicyRule>((rule) => new PolicyRule(rule));
  }
}

/** The policies that guard a destination, and what of a request they can look at: nothing else has to be read. */
export class PolicySetRules {
  readonly policies: PolicyRules[];
  readsAddress: bool = false;
  readsHeaders: bool = false;
  readsPath: bool = false;
  readsPort: bool = false;

  constructor(policies: Policy[]) {
    this.policies = policies.map<PolicyRules>((policy) => new PolicyRules(policy));
    for (let i = 0; i < this.policies.length; i++) {
      const rules = this.policies[i].rules;
      for (let j = 0; j < rules.length; j++) this.note(rules[j]);
    }
  }

  private note(rule: PolicyRule): void {
    for (let i = 0; i < rule.sources.length; i++) {
      if (!rule.sources[i].ipBlocks.isOpen) this.readsAddress = true;
    }
    for (let i = 0; i < rule.operations.length; i++) {
      const to = rule.operations[i];
      if (!to.paths.isOpen) this.readsPath = true;
      if (!to.paths.isOpen || !to.hosts.isOpen || !to.methods.isOpen) this.readsHeaders = true;
      if (!to.ports.isOpen) this.readsPort = true;
    }
  }
}
