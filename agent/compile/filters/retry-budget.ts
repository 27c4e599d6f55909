import { compareText } from "../../lib/compare.ts";
import { namespacedName } from "../../model/meta.ts";
import type { NodeView } from "../view/node-view.ts";
import type { FilterRetryBudget } from "./filter-config.ts";

/** Retry budgets of Services (XBackendTrafficPolicy). If two policies name one Service, the first by name counts. */
export function filterRetryBudgets(view: NodeView): readonly FilterRetryBudget[] {
  const budgets = new Map<string, FilterRetryBudget>();
  for (const { meta, services, retryBudget } of view.mesh.backendTrafficPolicies) {
    if (retryBudget === undefined) continue;
    for (const name of services) {
      const service = namespacedName(meta.namespace, name);
      if (budgets.has(service)) continue;
      budgets.set(service, {
        service,
        percent: retryBudget.percent,
        intervalMs: retryBudget.intervalMs,
        minCount: retryBudget.minRetryRate.count,
        minIntervalMs: retryBudget.minRetryRate.intervalMs,
      });
    }
  }
  return [...budgets.values()].toSorted((a, b) => compareText(a.service, b.service));
}
