import { createHash } from "node:crypto";
import { checkNames, readLabels } from "../../../agent/objects/object-meta.ts";
import type { RawObject } from "../../../agent/objects/raw-object.ts";
import type { Reader } from "../../../agent/objects/reader.ts";
import { readPodSpec, type PodSpec } from "./pod-spec.ts";

/** A pod that the lab has to run: from a manifest, or from a controller. */
export interface PodPlan {
  readonly namespace: string;
  readonly name: string;
  readonly hostname: string;
  readonly spec: PodSpec;
  /** `metadata` and `spec` as written, for the resolved object. */
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly rawSpec: Readonly<Record<string, unknown>>;
  readonly labels: Readonly<Record<string, string>>;
  /** A change of this means that the pod has to be replaced. */
  readonly revision: string;
  /** The controller that made it (`ownerKey`); undefined for a pod from a manifest. */
  readonly owner: string | undefined;
}

/** core/v1 Pod. */
export function readPodPlan(root: Reader, object: RawObject): PodPlan {
  const spec = readPodSpec(root.field("spec").required());
  checkNames(root, object);
  return {
    namespace: object.namespace,
    name: object.name,
    hostname: hostName(spec.hostname ?? object.name),
    spec,
    metadata: asObject(object.value["metadata"]),
    rawSpec: asObject(object.value["spec"]),
    labels: readLabels(root.field("metadata").field("labels")),
    revision: digest(object.value["spec"]),
    owner: undefined,
  };
}

export function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

/** Host names have at most 63 characters, names of pods more. */
export function hostName(text: string): string {
  return text.slice(0, 63).replace(/[-.]+$/, "");
}

/** A short hash of a JSON value. */
export function digest(value: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(value) ?? "")
    .digest("hex")
    .slice(0, 32);
}

type OwnerKind = "Deployment" | "StatefulSet" | "Job";

export function ownerKey(kind: OwnerKind, owner: { readonly namespace: string; readonly name: string }): string {
  return `${kind} ${podKey(owner)}`;
}

export function podKey(pod: { readonly namespace: string; readonly name: string }): string {
  return `${pod.namespace}/${pod.name}`;
}
