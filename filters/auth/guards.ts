import { FilterConfig, Policy } from "../config";

/** Policies that guard a destination, and the destination's port where the configuration tells it. */
export class Guard {
  constructor(
    readonly policies: Policy[],
    readonly port: string,
  ) {}
}

/** Who is guarded, by Envoy cluster (outbound) or pod uid (inbound). */
export class Guards {
  readonly byCluster: Map<string, Guard> = new Map();
  readonly byPod: Map<string, Guard> = new Map();

  constructor(config: FilterConfig) {
    const sets = new Map<string, Policy[]>();
    for (let i = 0; i < config.policySets.length; i++) sets.set(config.policySets[i].id, config.policySets[i].policies);
    for (let i = 0; i < config.clusters.length; i++) {
      const cluster = config.clusters[i];
      this.byCluster.set(cluster.name, new Guard(policiesOf(sets, cluster.policySet), cluster.port.toString()));
    }
    for (let i = 0; i < config.pods.length; i++) {
      const pod = config.pods[i];
      this.byPod.set(pod.uid, new Guard(policiesOf(sets, pod.policySet), ""));
    }
  }
}

/** A set that is not there denies: what guards must never be lost on the way. */
function policiesOf(sets: Map<string, Policy[]>, id: string): Policy[] {
  if (sets.has(id)) return sets.get(id);
  const missing = new Policy();
  missing.name = "missing_policy_set";
  missing.alwaysDeny = true;
  return [missing];
}
