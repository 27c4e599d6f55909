// What the agent tells the filters: agent/compile/filters/filter-config.ts. read-config.ts reads it.

/** Most lists are empty, and no list is ever changed. */
const NO_TEXTS: string[] = [];

export class Condition {
  attribute: string = "";
  path: string[] = NO_TEXTS;
  values: string[] = NO_TEXTS;
  notValues: string[] = NO_TEXTS;
}

export class Rule {
  from: Condition[][] = [];
  to: Condition[][] = [];
  when: Condition[] = [];
}

export class Policy {
  name: string = "";
  action: string = "";
  dryRun: bool = false;
  alwaysDeny: bool = false;
  rules: Rule[] = [];
}

export class PolicySet {
  id: string = "";
  policies: Policy[] = [];
  jwtRules: string[] = NO_TEXTS;
}

export class JwtKey {
  kid: string = "";
  algorithms: string[] = NO_TEXTS;
  spki: string = "";
}

export class JwtHeader {
  name: string = "";
  prefix: string = "";
}

export class ClaimToHeader {
  header: string = "";
  claim: string = "";
}

export class JwtRule {
  id: string = "";
  issuer: string = "";
  audiences: string[] = NO_TEXTS;
  fromHeaders: JwtHeader[] = [];
  fromParams: string[] = NO_TEXTS;
  fromCookies: string[] = NO_TEXTS;
  outputPayloadToHeader: string = "";
  outputClaimToHeaders: ClaimToHeader[] = [];
  forwardOriginalToken: bool = false;
  spaceDelimitedClaims: string[] = NO_TEXTS;
  keys: JwtKey[] = [];
}

export class GuardedCluster {
  name: string = "";
  policySet: string = "";
  port: u32 = 0;
}

export class GuardedPod {
  uid: string = "";
  policySet: string = "";
}

export class PeerAddress {
  address: string = "";
  peer: string = "";
}

export class RetryBudget {
  service: string = "";
  percent: u32 = 0;
  intervalMs: u32 = 0;
  minCount: u32 = 0;
  minIntervalMs: u32 = 0;
}

export class SeriesLimits {
  outcomes: u32 = 0;
  pair: u32 = 0;
  source: u32 = 0;
  all: u32 = 0;
}

export class FilterConfig {
  cluster: string = "";
  firstByteMs: u32 = 0;
  series: SeriesLimits = new SeriesLimits();
  policySets: PolicySet[] = [];
  jwtRules: JwtRule[] = [];
  clusters: GuardedCluster[] = [];
  pods: GuardedPod[] = [];
  /** UIDs of the pods that no policy guards. */
  unguarded: string[] = NO_TEXTS;
  peers: PeerAddress[] = [];
  retryBudgets: RetryBudget[] = [];
}
