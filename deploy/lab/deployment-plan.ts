import type { RawObject } from "../../agent/objects/raw-object.ts";
import type { Reader } from "../../agent/objects/reader.ts";
import { hostName } from "./pod-manifest.ts";
import { ownerKey, type PodPlan } from "./pod-plan.ts";
import { readTemplate, type PodTemplate } from "./pod-template.ts";
import { warnOfUnsupported } from "./unsupported.ts";

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

/** One of a Deployment's pods. `suffix`: 5 letters that no other pod of it has. */
export function podOf(deployment: DeploymentPlan, suffix: string): PodPlan {
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
