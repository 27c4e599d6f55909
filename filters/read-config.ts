import { JsonFields, JsonReader } from "../assembly/index";
import {
  ClaimToHeader,
  Condition,
  FilterConfig,
  GuardedCluster,
  GuardedPod,
  JwtHeader,
  JwtKey,
  JwtRule,
  PeerAddress,
  Policy,
  PolicySet,
  RetryBudget,
  Rule,
  SeriesLimits,
} from "./config";

// Strings of tenants are in this text. Each object has exactly the fields that its class has: a configuration that differs is
// refused as a whole, because a part that is left out could be a policy.

/** Twice what 10,000 large rules take. A module without memory traps, so the module must not run out of it when it reads (build.mjs). */
const MAX_SIZE: usize = 8 << 20;

/** A configuration that has been read, or the reason why not. */
export class ReadConfig {
  constructor(
    readonly config: FilterConfig | null,
    readonly error: string,
  ) {}
}

/** Reads a configuration whole, or not at all. It never traps. */
export function readConfig(start: usize, size: usize): ReadConfig {
  if (size > MAX_SIZE) return new ReadConfig(null, "more than " + MAX_SIZE.toString() + " bytes");
  const reader = new JsonReader(start, size);
  const config = readFilterConfig(reader);
  return reader.isWhole ? new ReadConfig(config, "") : new ReadConfig(null, reader.error);
}

/** A list of objects of one class, added to `items`. */
function list<T>(reader: JsonReader, read: (reader: JsonReader) => T, items: T[]): T[] {
  reader.beginList();
  while (reader.nextItem()) items.push(read(reader));
  return items;
}

// The order of fields is the agent's, so that the reader finds each at once.
const CONFIG = new JsonFields([
  "cluster",
  "firstByteMs",
  "series",
  "policySets",
  "jwtRules",
  "clusters",
  "pods",
  "unguarded",
  "peers",
  "retryBudgets",
]);
const SERIES = new JsonFields(["outcomes", "pair", "source", "all"]);
const POLICY_SET = new JsonFields(["id", "policies", "jwtRules"]);
const POLICY = new JsonFields(["name", "action", "dryRun", "alwaysDeny", "rules"]);
const RULE = new JsonFields(["from", "to", "when"]);
const CONDITION = new JsonFields(["attribute", "path", "values", "notValues"]);
const JWT_RULE = new JsonFields([
  "id",
  "issuer",
  "audiences",
  "fromHeaders",
  "fromParams",
  "fromCookies",
  "outputPayloadToHeader",
  "outputClaimToHeaders",
  "forwardOriginalToken",
  "spaceDelimitedClaims",
  "keys",
]);
const JWT_HEADER = new JsonFields(["name", "prefix"]);
const CLAIM_TO_HEADER = new JsonFields(["header", "claim"]);
const JWT_KEY = new JsonFields(["kid", "algorithms", "spki"]);
const GUARDED_CLUSTER = new JsonFields(["name", "policySet", "port"]);
const GUARDED_POD = new JsonFields(["uid", "policySet"]);
const PEER_ADDRESS = new JsonFields(["address", "peer"]);
const RETRY_BUDGET = new JsonFields(["service", "percent", "intervalMs", "minCount", "minIntervalMs"]);

function readFilterConfig(reader: JsonReader): FilterConfig {
  const config = new FilterConfig();
  reader.beginObject(CONFIG);
  while (reader.nextMember()) {
    if (reader.field == 0) config.cluster = reader.text();
    else if (reader.field == 1) config.firstByteMs = reader.u32();
    else if (reader.field == 2) config.series = readSeries(reader);
    else if (reader.field == 3) config.policySets = list<PolicySet>(reader, readPolicySet, config.policySets);
    else if (reader.field == 4) config.jwtRules = list<JwtRule>(reader, readJwtRule, config.jwtRules);
    else if (reader.field == 5) config.clusters = list<GuardedCluster>(reader, readGuardedCluster, config.clusters);
    else if (reader.field == 6) config.pods = list<GuardedPod>(reader, readGuardedPod, config.pods);
    else if (reader.field == 7) config.unguarded = reader.texts();
    else if (reader.field == 8) config.peers = list<PeerAddress>(reader, readPeerAddress, config.peers);
    else config.retryBudgets = list<RetryBudget>(reader, readRetryBudget, config.retryBudgets);
  }
  return config;
}

function readSeries(reader: JsonReader): SeriesLimits {
  const series = new SeriesLimits();
  reader.beginObject(SERIES);
  while (reader.nextMember()) {
    if (reader.field == 0) series.outcomes = reader.u32();
    else if (reader.field == 1) series.pair = reader.u32();
    else if (reader.field == 2) series.source = reader.u32();
    else series.all = reader.u32();
  }
  return series;
}

function readPolicySet(reader: JsonReader): PolicySet {
  const set = new PolicySet();
  reader.beginObject(POLICY_SET);
  while (reader.nextMember()) {
    if (reader.field == 0) set.id = reader.text();
    else if (reader.field == 1) set.policies = list<Policy>(reader, readPolicy, set.policies);
    else set.jwtRules = reader.texts();
  }
  return set;
}

function readPolicy(reader: JsonReader): Policy {
  const policy = new Policy();
  reader.beginObject(POLICY);
  while (reader.nextMember()) {
    if (reader.field == 0) policy.name = reader.text();
    else if (reader.field == 1) policy.action = reader.text();
    else if (reader.field == 2) policy.dryRun = reader.boolean();
    else if (reader.field == 3) policy.alwaysDeny = reader.boolean();
    else policy.rules = list<Rule>(reader, readRule, policy.rules);
  }
  return policy;
}

function readRule(reader: JsonReader): Rule {
  const rule = new Rule();
  reader.beginObject(RULE);
  while (reader.nextMember()) {
    if (reader.field == 0) rule.from = list<Condition[]>(reader, readConditions, rule.from);
    else if (reader.field == 1) rule.to = list<Condition[]>(reader, readConditions, rule.to);
    else rule.when = list<Condition>(reader, readCondition, rule.when);
  }
  return rule;
}

function readConditions(reader: JsonReader): Condition[] {
  return list<Condition>(reader, readCondition, new Array<Condition>(0));
}

function readCondition(reader: JsonReader): Condition {
  const condition = new Condition();
  reader.beginObject(CONDITION);
  while (reader.nextMember()) {
    if (reader.field == 0) condition.attribute = reader.text();
    else if (reader.field == 1) condition.path = reader.texts();
    else if (reader.field == 2) condition.values = reader.texts();
    else condition.notValues = reader.texts();
  }
  return condition;
}

function readJwtRule(reader: JsonReader): JwtRule {
  const rule = new JwtRule();
  reader.beginObject(JWT_RULE);
  while (reader.nextMember()) {
    if (reader.field == 0) rule.id = reader.text();
    else if (reader.field == 1) rule.issuer = reader.text();
    else if (reader.field == 2) rule.audiences = reader.texts();
    else if (reader.field == 3) rule.fromHeaders = list<JwtHeader>(reader, readJwtHeader, rule.fromHeaders);
    else if (reader.field == 4) rule.fromParams = reader.texts();
    else if (reader.field == 5) rule.fromCookies = reader.texts();
    else if (reader.field == 6) rule.outputPayloadToHeader = reader.text();
    else if (reader.field == 7)
      rule.outputClaimToHeaders = list<ClaimToHeader>(reader, readClaimToHeader, rule.outputClaimToHeaders);
    else if (reader.field == 8) rule.forwardOriginalToken = reader.boolean();
    else if (reader.field == 9) rule.spaceDelimitedClaims = reader.texts();
    else rule.keys = list<JwtKey>(reader, readJwtKey, rule.keys);
  }
  return rule;
}

function readJwtHeader(reader: JsonReader): JwtHeader {
  const header = new JwtHeader();
  reader.beginObject(JWT_HEADER);
  while (reader.nextMember()) {
    if (reader.field == 0) header.name = reader.text();
    else header.prefix = reader.text();
  }
  return header;
}

function readClaimToHeader(reader: JsonReader): ClaimToHeader {
  const output = new ClaimToHeader();
  reader.beginObject(CLAIM_TO_HEADER);
  while (reader.nextMember()) {
    if (reader.field == 0) output.header = reader.text();
    else output.claim = reader.text();
  }
  return output;
}

function readJwtKey(reader: JsonReader): JwtKey {
  const key = new JwtKey();
  reader.beginObject(JWT_KEY);
  while (reader.nextMember()) {
    if (reader.field == 0) key.kid = reader.text();
    else if (reader.field == 1) key.algorithms = reader.texts();
    else key.spki = reader.text();
  }
  return key;
}

function readGuardedCluster(reader: JsonReader): GuardedCluster {
  const cluster = new GuardedCluster();
  reader.beginObject(GUARDED_CLUSTER);
  while (reader.nextMember()) {
    if (reader.field == 0) cluster.name = reader.text();
    else if (reader.field == 1) cluster.policySet = reader.text();
    else cluster.port = reader.u32();
  }
  return cluster;
}

function readGuardedPod(reader: JsonReader): GuardedPod {
  const pod = new GuardedPod();
  reader.beginObject(GUARDED_POD);
  while (reader.nextMember()) {
    if (reader.field == 0) pod.uid = reader.text();
    else pod.policySet = reader.text();
  }
  return pod;
}

function readPeerAddress(reader: JsonReader): PeerAddress {
  const peer = new PeerAddress();
  reader.beginObject(PEER_ADDRESS);
  while (reader.nextMember()) {
    if (reader.field == 0) peer.address = reader.text();
    else peer.peer = reader.text();
  }
  return peer;
}

function readRetryBudget(reader: JsonReader): RetryBudget {
  const budget = new RetryBudget();
  reader.beginObject(RETRY_BUDGET);
  while (reader.nextMember()) {
    if (reader.field == 0) budget.service = reader.text();
    else if (reader.field == 1) budget.percent = reader.u32();
    else if (reader.field == 2) budget.intervalMs = reader.u32();
    else if (reader.field == 3) budget.minCount = reader.u32();
    else budget.minIntervalMs = reader.u32();
  }
  return budget;
}
