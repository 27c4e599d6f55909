import type { PodPlan } from "../pod-spec/pod-plan.ts";

export interface Placed {
  readonly node: { readonly name: string };
  readonly plan: { readonly owner: string | undefined };
}

/**
 * Chooses the node for a pod: the node that the pod names; else the node with the fewest pods of the same owner, then the
 * fewest pods, then the first. undefined where the pod names an unknown node.
 */
export function chooseNode<T extends { readonly name: string }>(
  plan: PodPlan,
  nodes: readonly T[],
  pods: readonly Placed[],
): T | undefined {
  if (plan.spec.nodeName !== "") return nodes.find(({ name }) => name === plan.spec.nodeName);
  const load = (node: T): number => {
    const here = pods.filter((pod) => pod.node.name === node.name);
    const siblings = here.filter((pod) => plan.owner !== undefined && pod.plan.owner === plan.owner);
    return siblings.length * 10_000 + here.length;
  };
  return nodes.reduce<T | undefined>(
    (best, node) => (best === undefined || load(node) < load(best) ? node : best),
    undefined,
  );
}
