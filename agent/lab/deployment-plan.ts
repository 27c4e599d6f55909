import type { RawObject } from "../sources/raw-object.ts";
import { readLabels } from "../sources/object-meta.ts";
import type { Reader } from "../sources/reader.ts";
import { readPodSpec, type PodSpec } from "./pod-spec.ts";
import { asObject, digest, hostName, requireNames } from "./pod-manifest.ts";
import type { PodPlan } from "./pod-plan.ts";
import { warnOfUnsupported } from "./unsupported.ts";

export interface DeploymentPlan {
  readonly namespace: string;
  readonly name: string;
  readonly replicas: number;
  readonly strategy: "RollingUpdate" | "Recreate";
  /** Kubernetes' pod-template-hash: pods with another one are of an older template. */
  readonly hash: string;
  readonly spec: PodSpec;
  readonly rawSpec: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly labels: Readonly<Record<string, string>>;
}

const FIELDS = [
  ...["replicas", "selector", "template", "strategy"],
  ...["revisionHistoryLimit", "progressDeadlineSeconds", "minReadySeconds"],
];
const MAX_REPLICAS = 1_000;

/** apps/v1 Deployment. */
export function readDeployment(root: Reader, object: RawObject): DeploymentPlan {
  const spec = root.field("spec").required();
  warnOfUnsupported(spec, FIELDS);
  requireNames(root, object);
  const template = spec.field("template").required();
  const labels = readLabels(template.field("metadata").field("labels"));
  const podSpec = readPodSpec(template.field("spec").required());
  const selected = readLabels(spec.field("selector").field("matchLabels"));
  for (const [key, value] of Object.entries(selected)) {
    if (labels[key] === value) continue;
    spec
      .field("selector")
      .field("matchLabels")
      .invalid("selector-mismatch", `the template's labels have no ${key}: ${value}`, "Make them the same.");
  }
  if (podSpec.restartPolicy !== "Always") {
    template
      .field("spec")
      .field("restartPolicy")
      .invalid("invalid-value", "a Deployment's pods restart always", "Remove it.");
  }
  const written = asObject(template.raw);
  return {
    namespace: object.namespace,
    name: object.name,
    replicas: spec.field("replicas").integer(0, MAX_REPLICAS) ?? 1,
    strategy: spec.field("strategy").field("type").oneOf(["RollingUpdate", "Recreate"]) ?? "RollingUpdate",
    hash: safeName(digest(written), 10),
    spec: podSpec,
    rawSpec: asObject(written["spec"]),
    metadata: asObject(written["metadata"]),
    labels,
  };
}

/** One of a Deployment's pods. `suffix`: 5 letters that no other pod of it has. */
export function podOf(deployment: DeploymentPlan, suffix: string): PodPlan {
  const { namespace, hash, spec, rawSpec } = deployment;
  const replicaSet = `${deployment.name}-${hash}`;
  const name = `${replicaSet}-${suffix}`;
  const labels = { ...deployment.labels, "pod-template-hash": hash };
  // The API server gives every object a UID; nothing looks this one up.
  const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: replicaSet, controller: true, uid: replicaSet };
  return {
    namespace,
    name,
    hostname: hostName(spec.hostname ?? name),
    spec,
    metadata: { ...deployment.metadata, name, namespace, labels, ownerReferences: [owner] },
    rawSpec,
    labels,
    revision: hash,
    deployment: `${namespace}/${deployment.name}`,
  };
}

/** Letters that spell no words, as Kubernetes has it. */
const SAFE = "bcdfghjklmnpqrstvwxz2456789";

/** `length` letters made of a hexadecimal text (two digits each). */
export function safeName(hex: string, length: number): string {
  const bytes = Buffer.from(hex, "hex").subarray(0, length);
  return [...bytes].map((byte) => SAFE[byte % SAFE.length] ?? "x").join("");
}
