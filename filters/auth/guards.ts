import { ByteMap } from "../byte-map";
import { FilterConfig, JwtRule, Policy } from "../config";
import { PolicySetRules } from "./rules";

/** Policies that guard a destination, and the destination's port where the configuration tells it. */
export class Guard {
  constructor(
    readonly set: PolicySetRules,
    readonly port: ArrayBuffer | null,
  ) {}

  /** Everybody is let through. */
  get isOpen(): bool {
    return this === OPEN;
  }
}

/** Of a pod that no policy guards. */
const OPEN = new Guard(new PolicySetRules([]), null);

/** The guarded destinations, by Envoy cluster (outbound) or by pod UID (inbound). */
export class Guards {
  private readonly guards: ByteMap<Guard> = new ByteMap<Guard>();

  /** No policy and no rule for tokens guards anything. */
  readonly areNone: bool;

  constructor(config: FilterConfig) {
    const sets = new Map<string, PolicySetRules>();
    const rules = new Map<string, JwtRule>();
    for (let i = 0; i < config.jwtRules.length; i++) rules.set(config.jwtRules[i].id, config.jwtRules[i]);
    for (let i = 0; i < config.policySets.length; i++) {
      const set = config.policySets[i];
      const tokens = tokenRules(rules, set.jwtRules);
      sets.set(set.id, tokens === null ? refusing() : new PolicySetRules(set.policies, tokens));
    }
    for (let i = 0; i < config.clusters.length; i++) {
      const cluster = config.clusters[i];
      const guard = new Guard(rulesOf(sets, cluster.policySet), String.UTF8.encode(cluster.port.toString()));
      this.guards.add(String.UTF8.encode(cluster.name), guard);
    }
    for (let i = 0; i < config.unguarded.length; i++) this.guards.add(String.UTF8.encode(config.unguarded[i]), OPEN);
    for (let i = 0; i < config.pods.length; i++) {
      const pod = config.pods[i];
      this.guards.add(String.UTF8.encode(pod.uid), new Guard(rulesOf(sets, pod.policySet), null));
    }
    this.areNone = config.clusters.length + config.pods.length == 0;
  }

  /** null: nothing guards the cluster here. */
  ofCluster(start: usize, size: usize): Guard | null {
    return this.guards.find(start, size);
  }

  /** null: the configuration does not know the pod, so that nobody may be let through to it. */
  ofPod(uid: ArrayBuffer): Guard | null {
    return this.guards.find(changetype<usize>(uid), uid.byteLength);
  }
}

/** null if one of them is missing. */
function tokenRules(all: Map<string, JwtRule>, ids: string[]): JwtRule[] | null {
  const rules = new Array<JwtRule>(0);
  for (let i = 0; i < ids.length; i++) {
    if (!all.has(ids[i])) return null;
    rules.push(all.get(ids[i]));
  }
  return rules;
}

/** A policy set that is missing denies: a mistake in the configuration must not remove a guard. */
function rulesOf(sets: Map<string, PolicySetRules>, id: string): PolicySetRules {
  return sets.has(id) ? sets.get(id) : refusing();
}

function refusing(): PolicySetRules {
  const missing = new Policy();
  missing.name = "missing_policy_set";
  missing.alwaysDeny = true;
  return new PolicySetRules([missing]);
}
