import type { RawObject } from "../../../agent/objects/raw-object.ts";
import type { Reader } from "../../../agent/objects/reader.ts";
import { hostName, ownerKey, type PodPlan } from "../pod-spec/pod-plan.ts";
import { warnOfUnsupported } from "../pod-spec/unsupported.ts";
import { readTemplate, type PodTemplate } from "./pod-template.ts";

export interface DeploymentPlan {
  readonly namespace: string;
  readonly name: string;
  readonly replicas: number;
  readonly strategy: "RollingUpdate" | "Recreate";
  readonly template: PodTemplate;
}

const FIELDS = [
  ...["replicas", "selector", "template", "strategy"],
  ...["revisionHistoryLimit", "progressDeadlineSeconds"],
];
const MAX_REPLICAS = 1_000;

/** apps/v1 Deployment. */
export function readDeployment(root: Reader, object: RawObject): DeploymentPlan {
  const spec = root.field("spec").required();
  warnOfUnsupported(spec, FIELDS);
  return {
    namespace: object.namespace,
    name: object.name,
    replicas: spec.field("replicas").integer(0, MAX_REPLICAS) ?? 1,
    strategy: spec.field("strategy").field("type").oneOf(["RollingUpdate", "Recreate"]) ?? "RollingUpdate",
    template: readTemplate(root, object, ["Always"]),
  };
}

/** One of a Deployment's pods. `suffix`: 5 letters, different for each pod. */
export function deploymentPod(deployment: DeploymentPlan, suffix: string): PodPlan {
  const { namespace, template } = deployment;
  const { hash, spec, rawSpec } = template;
  const replicaSet = `${deployment.name}-${hash}`;
  const name = `${replicaSet}-${suffix}`;
  const labels = { ...template.labels, "pod-template-hash": hash };
  // The API server gives every object a UID; nothing looks this one up.
  const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: replicaSet, controller: true, uid: replicaSet };
  return {
    namespace,
    name,
    hostname: hostName(spec.hostname ?? name),
    spec,
    metadata: { ...template.metadata, name, namespace, labels, ownerReferences: [owner] },
    rawSpec,
    labels,
    revision: hash,
    owner: ownerKey("Deployment", deployment),
  };
}

/** What `nextStep` reads of a Deployment's pod. */
export interface OwnedPod {
  readonly revision: string;
  readonly ready: boolean;
  readonly createdAt: Date;
}

/** The pods to create and to remove now. The step after this one depends on what becomes of them. */
export interface DeploymentStep<T> {
  readonly create: number;
  readonly remove: readonly T[];
}

/**
 * Pure. Scales at once. A new template replaces one pod at a time: one more pod than asked for starts, and an old pod goes for
 * each new one that is ready (maxSurge 1, maxUnavailable 0). `pods` leaves out the pods that are being removed; `leaving` is
 * their number.
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

/** Pods that are not ready come first, then the youngest. */
function leastUseful(a: OwnedPod, b: OwnedPod): number {
  return Number(a.ready) - Number(b.ready) || b.createdAt.getTime() - a.createdAt.getTime();
}
