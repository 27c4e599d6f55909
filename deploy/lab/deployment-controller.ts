import type { DeploymentPlan } from "./deployment-plan.ts";

/** What a step has to know of a Deployment's pod. */
export interface OwnedPod {
  readonly revision: string;
  readonly ready: boolean;
  readonly createdAt: Date;
}

/** The next thing to do for a Deployment; called again when that has shown. */
export interface DeploymentStep<T> {
  readonly create: number;
  readonly remove: readonly T[];
}

/**
 * Pure. Scales at once; goes over to a new template one pod at a time: one more than asked for is started, and one of the old
 * is removed for each new one that is ready (maxSurge 1, maxUnavailable 0). `pods`: those that are not being removed;
 * `leaving`: how many are.
 */
export function nextStep<T extends OwnedPod>(
  plan: DeploymentPlan,
  pods: readonly T[],
  leaving: number,
): DeploymentStep<T> {
  const old = pods.filter((pod) => pod.revision !== plan.template.hash);
  const current = pods.filter((pod) => pod.revision === plan.template.hash);
  const surplus = current.length - plan.replicas;
  if (surplus > 0) return { create: 0, remove: [...current].sort(leastUseful).slice(0, surplus) };
  if (old.length === 0) {
    const waits = plan.strategy === "Recreate" && leaving > 0 && current.length === 0;
    return { create: waits ? 0 : -surplus, remove: [] };
  }
  if (plan.strategy === "Recreate") return { create: 0, remove: old };
  const ready = pods.filter((pod) => pod.ready).length;
  const idle = old.filter((pod) => !pod.ready);
  const spare = old.filter((pod) => pod.ready).slice(0, Math.max(0, ready - plan.replicas));
  const room = plan.replicas + 1 - pods.length + idle.length + spare.length;
  return { create: Math.max(0, Math.min(room, -surplus)), remove: [...idle, ...spare] };
}

/** Those that are not ready first, then the youngest. */
function leastUseful(a: OwnedPod, b: OwnedPod): number {
  return Number(a.ready) - Number(b.ready) || b.createdAt.getTime() - a.createdAt.getTime();
}
