import { DEFAULT_CALLER_TIMES } from "../../model/caller-times.ts";
import { DEFAULT_SERIES_LIMITS } from "../../model/series-limits.ts";
import type { CompileOptions } from "../view/options.ts";
import type { Destination, ServiceTarget } from "../view/destinations.ts";
import { hostPort } from "../view/names.ts";
import type { NodeView } from "../view/node-view.ts";
import type { FilterConfig } from "./filter-config.ts";
import type { PartCheck } from "./part-check.ts";
import type { PolicySets } from "./policy-sets.ts";
import type { RetryBudgets } from "./retry-budget.ts";

export function buildFilterConfig(
  view: NodeView,
  targets: readonly ServiceTarget[],
  destinations: readonly Destination[],
  policies: PolicySets,
  budgets: RetryBudgets,
  peers: FilterConfig["peers"],
  options: CompileOptions,
  check: PartCheck,
): FilterConfig {
  const guarded = (name: string, target: Pick<ServiceTarget, "cluster" | "backends">): FilterConfig["clusters"] => {
    const guard = policies.guardOf(target);
    return guard.kind === "uniform" ? [{ name, policySet: guard.policySet, port: guard.port }] : [];
  };
  return {
    cluster: options.cluster,
    firstByteMs: (options.callerTimes ?? DEFAULT_CALLER_TIMES).firstByteMs,
    series: options.series ?? DEFAULT_SERIES_LIMITS,
    policySets: policies.sets,
    tcpPolicySets: policies.tcpSets,
    jwtRules: policies.jwtRules,
    clusters: [
      ...targets.flatMap((target) => guarded(target.cluster, target)),
      ...destinations.flatMap(({ address, port, target, backend }) => {
        const name = hostPort(address, port);
        return guarded(name, backend === undefined ? target : { cluster: name, backends: [backend] });
      }),
    ],
    pods: check.readable(
      view.localPods.flatMap(({ workload: { uid, meta }, workload }) => {
        const policySet = policies.setOf(workload);
        return policySet === undefined ? [] : [{ told: { uid, policySet }, by: meta }];
      }),
      (pods) => ({ pods }),
      NO_CALLS,
    ),
    unguarded: check.readable(
      view.localPods.flatMap(({ workload: { uid, meta }, workload }) =>
        policies.setOf(workload) === undefined ? [{ told: uid, by: meta }] : [],
      ),
      (unguarded) => ({ unguarded }),
      NO_CALLS,
    ),
    // Metrics name a caller by these, beside the identity in its certificate.
    peers,
    retryBudgets: budgets.budgets,
  };
}

const NO_CALLS = "the pod gets no calls";
