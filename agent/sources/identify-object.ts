import type { ObjectRef } from "../model/object-ref.ts";
import type { Problem } from "../model/problem.ts";
import { fieldText } from "../objects/notes.ts";
import { placeOf, type FieldPath, type Origin, type RawObject } from "../objects/raw-object.ts";

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Kinds without a namespace that are likely to stand in manifests. */
const CLUSTER_SCOPED = new Set(["Namespace", "Node", "GatewayClass", "CustomResourceDefinition", "ClusterRole"]);

/**
 * Finds out which object a value is, by its apiVersion, kind, namespace and name. Reports a value without them, and
 * returns undefined.
 */
export function rawObject(value: unknown, origin: Origin, problems: Problem[]): RawObject | undefined {
  const report = (
    path: FieldPath,
    severity: Problem["severity"],
    reason: string,
    remedy: string,
    subject?: ObjectRef,
  ): undefined => {
    problems.push({
      severity,
      code: "not-an-object",
      origin: placeOf(origin, path),
      subject,
      field: fieldText(path),
      reason,
      remedy,
    });
    return undefined;
  };
  if (!isObject(value) || !["apiVersion", "kind", "spec"].some((field) => Object.hasOwn(value, field))) {
    const reason = "this is not a Kubernetes object: it has neither apiVersion nor kind";
    return report([], "warning", reason, "Move files that are not manifests out of the folder.");
  }
  const { apiVersion, kind, metadata } = value;
  if (typeof apiVersion !== "string" || apiVersion === "") {
    return report(["apiVersion"], "error", "apiVersion is missing or not a string", "Add apiVersion, for example v1.");
  }
  if (typeof kind !== "string" || kind === "") {
    return report(["kind"], "error", "kind is missing or not a string", "Add kind, for example Service.");
  }
  if (!isObject(metadata) || typeof metadata["name"] !== "string" || metadata["name"] === "") {
    return report(
      ["metadata", "name"],
      "error",
      "metadata.name is missing or not a string",
      "Give the object a name.",
      { ...groupVersion(apiVersion), kind, namespace: "", name: "" },
    );
  }
  const { name, namespace: written, uid } = metadata;
  if (written !== undefined && written !== null && typeof written !== "string") {
    const reason = "metadata.namespace is not a string";
    return report(["metadata", "namespace"], "error", reason, "Quote it.", {
      ...groupVersion(apiVersion),
      kind,
      namespace: "",
      name,
    });
  }
  const namespace = CLUSTER_SCOPED.has(kind) ? "" : (written ?? "") === "" ? "default" : (written ?? "");
  return {
    ...groupVersion(apiVersion),
    kind,
    namespace,
    name,
    uid: typeof uid === "string" ? uid : undefined,
    value,
    origin,
  };
}

/** The two parts of `apiVersion`; the core group has no name. */
export function groupVersion(apiVersion: string): Pick<ObjectRef, "group" | "version"> {
  const slash = apiVersion.indexOf("/");
  return { group: slash === -1 ? "" : apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}
