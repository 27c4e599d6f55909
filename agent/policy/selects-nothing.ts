import { selection } from "../compile/policy/selection.ts";
import type { Mesh } from "../model/mesh.ts";
import { carries, type ObjectMeta } from "../model/meta.ts";
import type { Problem } from "../model/problem.ts";
import type { Workload } from "../model/workload.ts";

/**
 * Objects that select no pod, perhaps because a label or the namespace is misspelt. Only for manifests that declare pods, and
 * not for a running mesh, where pods may come later. `mesh` has a pod for each Deployment or other maker of pods.
 */
export function selectsNothing(mesh: Mesh, rootNamespace: string): readonly Problem[] {
  const pods = mesh.workloads.filter(({ terminated }) => !terminated);
  if (pods.length === 0) return [];
  const selects = selection(mesh, rootNamespace);
  const problems: Problem[] = [];
  const look = (meta: ObjectMeta, field: string, isMeant: (pod: Workload) => boolean): void => {
    if (pods.some(isMeant)) return;
    const scope = meta.namespace === rootNamespace ? "the mesh" : `the namespace ${meta.namespace}`;
    problems.push(problem(meta, field, scope));
  };
  for (const objects of [mesh.authorizationPolicies, mesh.requestAuthentications]) {
    for (const object of objects) {
      // A missing Service is reported as a problem of its own.
      if (object.targets.some((target) => target.kind === "service")) continue;
      const bySelector = object.targets.some(
        (target) => target.kind === "labels" && Object.keys(target.labels).length > 0,
      );
      look(object.meta, bySelector ? "spec.selector" : "", (pod) => selects(object, pod));
    }
  }
  for (const { meta, selector } of mesh.peerAuthentications) {
    const isWide = meta.namespace === rootNamespace && selector === undefined;
    look(meta, selector === undefined ? "" : "spec.selector", (pod) => {
      return isWide || (meta.namespace === pod.meta.namespace && carries(pod.meta, selector ?? {}));
    });
  }
  return problems;
}

function problem(meta: ObjectMeta, field: string, scope: string): Problem {
  const isSelector = field !== "";
  return {
    severity: "warning",
    code: "selects-nothing",
    origin: meta.origin,
    subject: meta,
    field,
    reason: isSelector
      ? `no pod of ${scope} has these labels: the object has no effect`
      : `${scope} has no pod: the object has no effect`,
    remedy: isSelector ? "Use labels that the pods have." : "Put the object into the namespace of its pods.",
  };
}
