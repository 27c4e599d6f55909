import { ByteMap } from "../byte-map";
import { FilterConfig, JwtRule, Policy } from "../config";
import { PolicySetRules } from "./rules";

/** Policies that guard a destination, and the destination's port where the configuration tells it. */
export class Guard {
  constructor(
    readonly set: PolicySetRules,
    readonly port: ArrayBuffer | null,
  ) {}
}

/** The guarded destinations, by Envoy cluster (outbound) or by pod UID (inbound). */
export class Guards {
  private readonly guards: ByteMap<Guard> = new ByteMap<Guard>();

  constructor(config: FilterConfig) {
    const sets = new Map<string, PolicySetRules>();
    for (let i = 0; i < config.policySets.length; i++) {
      const set = config.policySets[i];
      const tokens = tokenRules(config.jwtRules, set.jwtRules);
      sets.set(set.id, tokens === null ? refusing() : new PolicySetRules(set.policies, tokens));
    }
    for (let i = 0; i < config.clusters.length; i++) {
      const cluster = config.clusters[i];
      const guard = new Guard(rulesOf(sets, cluster.policySet), String.UTF8.encode(cluster.port.toString()));
      this.guards.add(String.UTF8.encode(cluster.name), guard);
    }
    for (let i = 0; i < config.pods.length; i++) {
      const pod = config.pods[i];
      this.guards.add(String.UTF8.encode(pod.uid), new Guard(rulesOf(sets, pod.policySet), null));
    }
  }

  get areNone(): bool {
    return this.guards.size == 0;
  }

  of(start: usize, size: usize): Guard | null {
    return this.guards.find(start, size);
  }

  ofKey(key: ArrayBuffer): Guard | null {
    return this.guards.find(changetype<usize>(key), key.byteLength);
  }
}

/** null if one of them is missing. */
function tokenRules(all: JwtRule[], ids: string[]): JwtRule[] | null {
  const rules = new Array<JwtRule>(0);
  for (let i = 0; i < all.length; i++) if (ids.includes(all[i].id)) rules.push(all[i]);
  return rules.length == ids.length ? rules : null;
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
