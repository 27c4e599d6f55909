import type { StatefulSetPlan } from "./stateful-set-plan.ts";

/** What a step has to know of a StatefulSet's pod. */
export interface OrdinalPod {
  readonly name: string;
  readonly revision: string;
  readonly ready: boolean;
  readonly stopping: boolean;
}

export interface StatefulSetStep<T> {
  /** Ordinals to start. */
  readonly create: readonly number[];
  readonly remove: readonly T[];
}

/**
 * Pure. One pod after the other, each waiting for those before it to be ready; from the last one when there are to be fewer,
 * or when the template has changed. `Parallel` waits for nobody, but goes over to a new template one by one, too.
 */
export function nextStatefulStep<T extends OrdinalPod>(plan: StatefulSetPlan, pods: readonly T[]): StatefulSetStep<T> {
  const byOrdinal = new Map(pods.map((pod) => [ordinalOf(pod.name), pod]));
  const wanted = Array.from({ length: plan.replicas }, (_, index) => plan.firstOrdinal + index);
  const surplus = pods.filter((pod) => !wanted.includes(ordinalOf(pod.name))).toSorted(lastFirst);
  const missing = wanted.filter((ordinal) => !byOrdinal.has(ordinal));
  if (plan.management === "Parallel") {
    if (surplus.length > 0 || missing.length > 0) return { create: missing, remove: surplus };
  } else {
    // A pod that is being removed keeps its name until it is gone, and so holds up those after it.
    const [next] = missing;
    const before = pods.filter((pod) => next === undefined || ordinalOf(pod.name) < next);
    if (next !== undefined) return { create: before.every(isSettled) ? [next] : [], remove: [] };
    if (surplus.length > 0) return { create: [], remove: surplus.slice(0, 1) };
  }
  if (!pods.every(isSettled)) {
    // One that never gets ready must not keep its mended template from being tried.
    const stuck = pods.filter((pod) => !pod.stopping && !pod.ready && pod.revision !== plan.template.hash);
    return { create: [], remove: stuck.toSorted(lastFirst).slice(0, 1) };
  }
  const old = pods.filter((pod) => pod.revision !== plan.template.hash).toSorted(lastFirst);
  return { create: [], remove: old.slice(0, 1) };
}

function isSettled({ ready, stopping }: OrdinalPod): boolean {
  return ready && !stopping;
}

function lastFirst(a: OrdinalPod, b: OrdinalPod): number {
  return ordinalOf(b.name) - ordinalOf(a.name);
}

function ordinalOf(name: string): number {
  return Number(name.slice(name.lastIndexOf("-") + 1));
}
