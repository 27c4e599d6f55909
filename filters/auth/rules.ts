import { Condition, JwtRule, Policy, Rule } from "../config";
import { AskedHeaders } from "./asked-headers";
import { Attribute, ConditionRule } from "./condition";
import { TokenRules } from "./jwt/rules";

// Policies, prepared: to evaluate a rule for a request parses, decodes and allocates nothing.

export class PolicyRule {
  readonly from: ConditionRule[][];
  readonly to: ConditionRule[][];
  readonly when: ConditionRule[];

  constructor(rule: Rule, headers: AskedHeaders) {
    this.from = alternatives(rule.from, headers);
    this.to = alternatives(rule.to, headers);
    this.when = conditions(rule.when, headers);
  }

  asks(attribute: Attribute): bool {
    return anyAsks(this.from, attribute) || anyAsks(this.to, attribute) || asks(this.when, attribute);
  }
}

function alternatives(lists: Condition[][], headers: AskedHeaders): ConditionRule[][] {
  const result = new Array<ConditionRule[]>(0);
  for (let i = 0; i < lists.length; i++) result.push(conditions(lists[i], headers));
  return result;
}

function conditions(list: Condition[], headers: AskedHeaders): ConditionRule[] {
  const result = new Array<ConditionRule>(0);
  for (let i = 0; i < list.length; i++) result.push(new ConditionRule(list[i], headers));
  return result;
}

function anyAsks(alternatives: ConditionRule[][], attribute: Attribute): bool {
  for (let i = 0; i < alternatives.length; i++) if (asks(alternatives[i], attribute)) return true;
  return false;
}

function asks(list: ConditionRule[], attribute: Attribute): bool {
  for (let i = 0; i < list.length; i++) if (list[i].attribute == attribute) return true;
  return false;
}

const ACTIONS: string[] = ["ALLOW", "DENY", "AUDIT"];

export class PolicyRules {
  readonly name: string;
  readonly isDeny: bool;
  readonly alwaysDeny: bool;
  readonly rules: PolicyRule[];
  /** It asks who calls. */
  readonly readsIdentity: bool;

  constructor(policy: Policy, headers: AskedHeaders) {
    this.name = policy.name;
    this.isDeny = policy.action == "DENY";
    this.rules = [];
    for (let i = 0; i < policy.rules.length; i++) this.rules.push(new PolicyRule(policy.rules[i], headers));
    // An action or a condition that this module does not understand must not make a policy mean less.
    const isKnown = ACTIONS.includes(policy.action) && !this.asks(Attribute.Unknown);
    this.alwaysDeny = policy.alwaysDeny || !isKnown;
    this.readsIdentity =
      this.asks(Attribute.SourcePrincipal) ||
      this.asks(Attribute.SourceNamespace) ||
      this.asks(Attribute.SourceAccount);
  }

  asks(attribute: Attribute): bool {
    for (let i = 0; i < this.rules.length; i++) if (this.rules[i].asks(attribute)) return true;
    return false;
  }
}

/** The policies that guard a destination, and the parts of a request that they look at: the module reads no others. */
export class PolicySetRules {
  readonly policies: PolicyRules[] = [];
  /** AUDIT policies and dry runs never decide: they only mark a call in the access log. */
  readonly dryRuns: PolicyRules[] = [];
  readonly audits: PolicyRules[] = [];
  /** null: no rule expects a token. */
  readonly tokens: TokenRules | null;
  readonly headers: AskedHeaders = new AskedHeaders();
  readsAddress: bool = false;
  readsDestination: bool = false;
  readsHeaders: bool = false;
  readsPath: bool = false;
  /** A policy that decides looks at the path, so the application has to receive the path that the policy judged. */
  judgesPath: bool = false;
  judgesHeaders: bool = false;
  /** Names of headers that a token's outputs may have changed. */
  readsAnyHeader: bool = false;
  readsPort: bool = false;

  constructor(policies: Policy[], tokens: JwtRule[] = []) {
    this.tokens = tokens.length > 0 ? new TokenRules(tokens) : null;
    for (let i = 0; i < policies.length; i++) {
      const rules = new PolicyRules(policies[i], this.headers);
      this.note(rules);
      // A dry run of an AUDIT policy says nothing.
      if (policies[i].action == "AUDIT" && !policies[i].dryRun) this.audits.push(rules);
      else if (policies[i].dryRun && policies[i].action != "AUDIT") this.dryRuns.push(rules);
      else if (!policies[i].dryRun) this.addDeciding(rules);
    }
  }

  private addDeciding(rules: PolicyRules): void {
    this.policies.push(rules);
    if (rules.asks(Attribute.RequestPath)) this.judgesPath = true;
    if (rules.asks(Attribute.RequestHost) || rules.asks(Attribute.RequestMethod)) this.judgesHeaders = true;
    if (this.judgesPath) this.judgesHeaders = true;
  }

  private note(policy: PolicyRules): void {
    if (policy.asks(Attribute.SourceIp)) this.readsAddress = true;
    if (policy.asks(Attribute.RequestHeader)) this.readsAnyHeader = true;
    if (policy.asks(Attribute.DestinationIp)) this.readsDestination = true;
    if (policy.asks(Attribute.DestinationPort)) this.readsPort = true;
    if (policy.asks(Attribute.RequestPath)) this.readsPath = true;
    if (policy.asks(Attribute.RequestHost) || policy.asks(Attribute.RequestMethod)) this.readsHeaders = true;
    if (this.readsPath) this.readsHeaders = true;
  }
}
