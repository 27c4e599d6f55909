import { randomBytes } from "node:crypto";
import { checkNames, readLabels } from "../../../agent/objects/object-meta.ts";
import type { RawObject } from "../../../agent/objects/raw-object.ts";
import type { Reader } from "../../../agent/objects/reader.ts";
import { asObject, digest } from "../pod-spec/pod-plan.ts";
import { readPodSpec, type PodSpec, type RestartPolicy } from "../pod-spec/pod-spec.ts";

/** The template for the pods of a Deployment, StatefulSet or Job. */
export interface PodTemplate {
  /** Kubernetes' pod-template-hash. Pods with another hash come from an older template. */
  readonly hash: string;
  readonly spec: PodSpec;
  readonly rawSpec: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Reads `spec.template`, and checks that `spec.selector` fits it. `restart`: the allowed restartPolicies; `claims`: volumes
 * that the pods have beside those of the template.
 */
export function readTemplate(
  root: Reader,
  object: RawObject,
  restart: readonly RestartPolicy[],
  claims: readonly string[] = [],
): PodTemplate {
  checkNames(root, object);
  const spec = root.field("spec");
  const template = spec.field("template").required();
  const labels = readLabels(template.field("metadata").field("labels"));
  const podSpec = readPodSpec(template.field("spec").required(), claims);
  const selected = readLabels(spec.field("selector").field("matchLabels"));
  for (const [key, value] of Object.entries(selected)) {
    if (labels[key] === value) continue;
    spec
      .field("selector")
      .field("matchLabels")
      .invalid("selector-mismatch", `the template's labels have no ${key}: ${value}`, "Make them the same.");
  }
  if (!restart.includes(podSpec.restartPolicy)) {
    template
      .field("spec")
      .field("restartPolicy")
      .invalid("invalid-value", `the restartPolicy of a ${object.kind}'s pods is ${restart.join(" or ")}`, REMEDY);
  }
  const written = asObject(template.raw);
  return {
    hash: safeName(digest(written), 10),
    spec: podSpec,
    rawSpec: asObject(written["spec"]),
    metadata: asObject(written["metadata"]),
    labels,
  };
}

const REMEDY = "Write one of these.";

/** Random letters for the name of a new pod. */
export function newSuffix(): string {
  return safeName(randomBytes(5).toString("hex"), 5);
}

/** Kubernetes' own alphabet for such names. Without vowels they form no words. */
const SAFE = "bcdfghjklmnpqrstvwxz2456789";

/** `length` letters made of a hexadecimal text (two digits each). */
function safeName(hex: string, length: number): string {
  const bytes = Buffer.from(hex, "hex").subarray(0, length);
  return [...bytes].map((byte) => SAFE[byte % SAFE.length] ?? "x").join("");
}
