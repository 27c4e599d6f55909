import { compareText } from "../../lib/compare.ts";
import { limitReached } from "../../model/limits.ts";
import { namespacedName, type ObjectMeta } from "../../model/meta.ts";
import type { Problem } from "../../model/problem.ts";
import type { NodeView } from "../view/node-view.ts";
import type { FilterRetryBudget } from "./filter-config.ts";
import { mustGo } from "./must-go.ts";
import type { PartCheck } from "./part-check.ts";

/** Bytes of JSON for the budgets of all Services: some thousand of them. The filters' configuration has room for no more. */
const ALL_BUDGETS = 512 << 10;

const LOSS = "some of its Services have the retry budget that Services have without a policy";

export interface RetryBudgets {
  readonly budgets: readonly FilterRetryBudget[];
  /** Which ones have no room. */
  readonly problems: readonly Problem[];
}

/** Retry budgets of Services (XBackendTrafficPolicy). If two policies name one Service, the first by name counts. */
export function retryBudgets(view: Pick<NodeView, "mesh">, check: PartCheck): RetryBudgets {
  const found = new Map<string, { readonly meta: ObjectMeta; readonly budget: FilterRetryBudget }>();
  for (const { meta, services, retryBudget } of view.mesh.backendTrafficPolicies) {
    if (retryBudget === undefined) continue;
    for (const name of services) {
      const service = namespacedName(meta.namespace, name);
      if (found.has(service)) continue;
      const budget = {
        service,
        percent: retryBudget.percent,
        intervalMs: retryBudget.intervalMs,
        minCount: retryBudget.minRetryRate.count,
        minIntervalMs: retryBudget.minRetryRate.intervalMs,
      };
      found.set(service, { meta, budget });
    }
  }
  const written = [...found.values()].map(({ meta, budget }) => ({ told: budget, by: meta }));
  const taken = new Set(check.readable(written, (budgets) => ({ retryBudgets: budgets }), LOSS));
  for (const [id, { budget }] of found) if (!taken.has(budget)) found.delete(id);
  const all = [...found].map(([id, { meta, budget }]) => {
    return { id, meta, namespace: meta.namespace, size: JSON.stringify(budget).length + 1, shared: [] };
  });
  const gone = mustGo(all, new Map(), ALL_BUDGETS);
  for (const { id } of gone) found.delete(id);
  return {
    budgets: [...found.values()].map(({ budget }) => budget).toSorted((a, b) => compareText(a.service, b.service)),
    problems: [...new Set(gone.map(({ meta }) => meta))].map(problemOf),
  };
}

function problemOf(subject: ObjectMeta): Problem {
  return limitReached(subject, {
    field: "spec.retryConstraint",
    reason:
      `the retry budgets of all namespaces need more than ${ALL_BUDGETS} bytes, and ${subject.namespace} needs the most: ` +
      "some of this policy's Services have no budget",
    remedy: "Give fewer Services a retry budget.",
  });
}
