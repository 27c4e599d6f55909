import type { BackendTrafficPolicy, RetryBudget } from "../model/backend-traffic-policy.ts";
import { compareAge } from "../model/meta.ts";
import type { Problem } from "../model/problem.ts";
import { describeObject } from "../model/object-ref.ts";
import type { Service } from "../model/service.ts";
import { parseDuration } from "./duration.ts";
import { Notes } from "./notes.ts";
import { readMeta } from "./object-meta.ts";
import type { RawObject } from "./raw-object.ts";
import { quote, Reader } from "./reader.ts";

/** GEP-3388's defaults. */
const DEFAULTS = { percent: 20, intervalMs: 10_000, count: 10, minIntervalMs: 1_000 } as const;

/** gateway.networking.x-k8s.io/v1alpha1 XBackendTrafficPolicies; if two name one Service, the older one counts. */
export function readBackendTrafficPolicies(
  objects: readonly RawObject[],
  services: readonly Service[],
  problems: Problem[],
): readonly BackendTrafficPolicy[] {
  const holders = new Map<string, RawObject>();
  const read = objects.flatMap((object) => {
    const root = new Reader(object.value, new Notes(object, problems));
    const meta = readMeta(root, object);
    return meta === undefined ? [] : [{ object, root, meta }];
  });
  read.sort((a, b) => compareAge(a.meta, b.meta));
  return read.map(({ object, root, meta }) => {
    const spec = root.field("spec").required().fields(["targetRefs", "retryConstraint", "sessionPersistence"]);
    if (spec.field("sessionPersistence").present) {
      spec.field("sessionPersistence").warning({
        code: "unsupported-field",
        reason: "session persistence is not supported; requests are balanced as without it",
        remedy: "Remove the field.",
      });
    }
    const targets = spec
      .field("targetRefs")
      .required()
      .list((entry) => {
        const name = readTarget(entry, meta.namespace, services);
        if (name === undefined) return undefined;
        const key = `${meta.namespace}/${name}`;
        const holder = holders.get(key);
        if (holder === undefined) holders.set(key, object);
        else {
          const reason = `Service ${key} already has its policy from ${describeObject(holder)}`;
          return entry.invalid("conflicting-policy", reason, "Keep one policy for each Service.");
        }
        return name;
      });
    const constraint = spec.field("retryConstraint");
    return { meta, services: targets, retryBudget: constraint.present ? readBudget(constraint) : undefined };
  });
}

function readTarget(entry: Reader, namespace: string, services: readonly Service[]): string | undefined {
  entry.fields(["group", "kind", "name"]);
  const group = entry.field("group").required().string();
  const kind = entry.field("kind").required().string();
  const name = entry.field("name").required().string();
  if (group === undefined || kind === undefined || name === undefined) return undefined;
  if (group !== "" || kind !== "Service") {
    const reason = `${kind} of ${group === "" ? "the core group" : group} cannot be a target`;
    return entry.invalid("unsupported-target", reason, 'Use kind: Service and group: "".');
  }
  if (services.some(({ meta }) => meta.namespace === namespace && meta.name === name)) return name;
  return entry.invalid("target-not-found", `there is no Service ${quote(`${namespace}/${name}`)}`, "Correct the name.");
}

/** Reports a wrong field and uses its default: a budget with one wrong detail is better than no budget. */
function readBudget(constraint: Reader): RetryBudget {
  constraint.fields(["budget", "minRetryRate"]);
  const budget = constraint.field("budget").fields(["percent", "interval"]);
  const rate = constraint.field("minRetryRate").fields(["count", "interval"]);
  return {
    percent: budget.field("percent").integer(0, 100) ?? DEFAULTS.percent,
    intervalMs: readInterval(budget.field("interval")) ?? DEFAULTS.intervalMs,
    minRetryRate: {
      count: rate.field("count").integer(1, 1_000_000) ?? DEFAULTS.count,
      intervalMs: readInterval(rate.field("interval")) ?? DEFAULTS.minIntervalMs,
    },
  };
}

function readInterval(field: Reader): number | undefined {
  return field.parsed(
    (text) => {
      const duration = parseDuration(text);
      return duration !== undefined && duration >= 1_000 && duration <= 3_600_000 ? duration : undefined;
    },
    "a duration from 1s to 1h",
    "Write it as 10s or 1m30s.",
  );
}
