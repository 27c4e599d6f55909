import type { RawObject } from "../objects/raw-object.ts";

/** Where each kind that makes Pods has their template: `spec.template`, or further down. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  "apps/Deployment": ["spec", "template"],
  "apps/StatefulSet": ["spec", "template"],
  "apps/DaemonSet": ["spec", "template"],
  "apps/ReplicaSet": ["spec", "template"],
  "batch/Job": ["spec", "template"],
  "batch/CronJob": ["spec", "jobTemplate", "spec", "template"],
};

/** A Pod for each object that would make some, under that object's name: manifests say who calls before anything runs. */
export function templatePods(objects: readonly RawObject[]): readonly RawObject[] {
  return objects.flatMap((object) => {
    const path = TEMPLATES[`${object.group}/${object.kind}`];
    if (path === undefined) return [];
    const template = path.reduce<unknown>(member, object.value);
    const { name, namespace } = object;
    const metadata = { ...asObject(member(template, "metadata")), name, namespace };
    const value = { apiVersion: "v1", kind: "Pod", metadata, spec: asObject(member(template, "spec")) };
    return [{ ...object, group: "", version: "v1", kind: "Pod", value }];
  });
}

function member(value: unknown, name: string): unknown {
  const object = asObject(value);
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}
