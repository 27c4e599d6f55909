import { JSON } from "json-as/assembly";

// The JSON that the agent writes: agent/compile/filters/filter-config.ts. All fields are always there.

@json
export class Condition {
  attribute: string = "";
  path: string[] = [];
  values: string[] = [];
  notValues: string[] = [];
}

@json
export class Rule {
  from: Condition[][] = [];
  to: Condition[][] = [];
  when: Condition[] = [];
}

@json
export class Policy {
  name: string = "";
  action: string = "";
  dryRun: bool = false;
  alwaysDeny: bool = false;
  rules: Rule[] = [];
}

@json
export class PolicySet {
  id: string = "";
  policies: Policy[] = [];
  jwtRules: string[] = [];
}

@json
export class JwtKey {
  kid: string = "";
  algorithms: string[] = [];
  spki: string = "";
}

@json
export class JwtHeader {
  name: string = "";
  prefix: string = "";
}

@json
export class ClaimToHeader {
  header: string = "";
  claim: string = "";
}

@json
export class JwtRule {
  id: string = "";
  issuer: string = "";
  audiences: string[] = [];
  fromHeaders: JwtHeader[] = [];
  fromParams: string[] = [];
  fromCookies: string[] = [];
  outputPayloadToHeader: string = "";
  outputClaimToHeaders: ClaimToHeader[] = [];
  forwardOriginalToken: bool = false;
  spaceDelimitedClaims: string[] = [];
  keys: JwtKey[] = [];
}

@json
export class GuardedCluster {
  name: string = "";
  policySet: string = "";
  port: u32 = 0;
}

@json
export class GuardedPod {
  uid: string = "";
  policySet: string = "";
}

@json
export class PeerAddress {
  address: string = "";
  peer: string = "";
}

@json
export class RetryBudget {
  service: string = "";
  percent: u32 = 0;
  intervalMs: u32 = 0;
  minCount: u32 = 0;
  minIntervalMs: u32 = 0;
}

@json
export class FilterConfig {
  cluster: string = "";
  policySets: PolicySet[] = [];
  jwtRules: JwtRule[] = [];
  clusters: GuardedCluster[] = [];
  pods: GuardedPod[] = [];
  peers: PeerAddress[] = [];
  retryBudgets: RetryBudget[] = [];
}

/** null if it is no JSON object: the module rejects the configuration and keeps the last one. */
export function parseConfig(text: string): FilterConfig | null {
  const trimmed = text.trim();
  if (!trimmed.startsWith("{") || !trimmed.endsWith("}")) return null;
  return JSON.parse<FilterConfig>(trimmed);
}
