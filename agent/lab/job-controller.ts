import type { JobPlan } from "./job-plan.ts";

/** What a step has to know of a Job's pod. */
export interface JobPod {
  readonly revision: string;
  readonly phase: "Pending" | "Running" | "Succeeded" | "Failed";
  /** How often its containers have been started again. */
  readonly restarts: number;
  readonly stopping: boolean;
}

export interface JobStep<T> {
  readonly create: number;
  readonly remove: readonly T[];
  /** Why the Job has failed; "" where it has not. */
  readonly failure: string;
}

/**
 * Pure. As many pods at a time as it may have, until as many as it wants have succeeded. Those that have ended stay, to be
 * looked at. A Job whose template has changed begins anew: the API server would want it deleted first.
 */
export function nextJobStep<T extends JobPod>(plan: JobPlan, pods: readonly T[]): JobStep<T> {
  const old = pods.filter((pod) => pod.revision !== plan.template.hash && !pod.stopping);
  if (old.length > 0) return { create: 0, remove: old, failure: "" };
  const own = pods.filter((pod) => pod.revision === plan.template.hash && !pod.stopping);
  const active = own.filter(({ phase }) => phase === "Pending" || phase === "Running");
  const succeeded = own.filter(({ phase }) => phase === "Succeeded").length;
  const failed = own.filter(({ phase }) => phase === "Failed").length;
  const restarts = active.reduce((sum, pod) => sum + pod.restarts, 0);
  if (failed + restarts > plan.backoffLimit) {
    const failure = `BackoffLimitExceeded: ${failed + restarts} failed, and backoffLimit is ${plan.backoffLimit}`;
    return { create: 0, remove: active, failure };
  }
  const wanted = Math.min(plan.parallelism, plan.completions - succeeded);
  return { create: Math.max(0, wanted - active.length), remove: [], failure: "" };
}
