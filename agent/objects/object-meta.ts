import type { ObjectMeta } from "../model/meta.ts";
import { isDnsLabel, isDnsSubdomain, isLabelKey, isLabelValue } from "./valid-names.ts";
import { placeOf, type RawObject } from "./raw-object.ts";
import { quote, type Reader } from "./reader.ts";

/** "subdomain": most kinds; "label": kinds whose names become parts of host names. */
export type NameRule = "subdomain" | "label";

/** Reads an object's metadata; undefined if its name or namespace is not valid. Reports bad labels and leaves them out. */
export function readMeta(root: Reader, object: RawObject, rule: NameRule = "subdomain"): ObjectMeta | undefined {
  if (!checkNames(root, object, rule)) return undefined;
  const metadata = root.field("metadata");
  const { group, version, kind, namespace, name, uid } = object;
  return {
    ...{ group, version, kind, namespace, name, uid },
    labels: readLabels(metadata.field("labels")),
    annotations: readAnnotations(metadata.field("annotations")),
    creationTimestamp: readTimestamp(metadata.field("creationTimestamp")),
    origin: placeOf(object.origin),
  };
}

/** Are the object's name and namespace valid? If not, the problem is reported. */
export function checkNames(root: Reader, object: RawObject, rule: NameRule = "subdomain"): boolean {
  const metadata = root.field("metadata");
  if (!(rule === "label" ? isDnsLabel : isDnsSubdomain)(object.name)) {
    metadata.field("name").invalid("invalid-name", `${quote(object.name)} cannot be a name`, NAME_REMEDY[rule]);
    return false;
  }
  if (object.namespace !== "" && !isDnsLabel(object.namespace)) {
    const reason = `${quote(object.namespace)} cannot be a namespace`;
    metadata.field("namespace").invalid("invalid-name", reason, NAME_REMEDY.label);
    return false;
  }
  return true;
}

const NAME_REMEDY = {
  label: "Use at most 63 lower-case letters, digits and hyphens, a letter or digit first and last.",
  subdomain: "Use lower-case letters, digits, hyphens and dots, a letter or digit first and last.",
} as const;

/** A map of labels. Numbers and booleans that were not quoted are read as their text. */
export function readLabels(map: Reader): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  for (const [key, entry] of map.entries()) {
    const value = scalarText(entry);
    if (value === undefined) continue;
    if (!isLabelKey(key)) {
      entry.invalid("invalid-label", `${quote(key)} cannot be a label's name`, LABEL_REMEDY);
    } else if (!isLabelValue(value)) {
      entry.invalid("invalid-label", `${quote(value)} cannot be a label's value`, LABEL_REMEDY);
    } else {
      labels[key] = value;
    }
  }
  return labels;
}

const LABEL_REMEDY = "Use at most 63 letters, digits, hyphens, underscores and dots, a letter or digit first and last.";

function scalarText(entry: Reader): string | undefined {
  const { raw } = entry;
  if (typeof raw !== "number" && typeof raw !== "boolean") return entry.string();
  entry.warning({ code: "wrong-type", reason: `expected a string, found ${raw}; read as text`, remedy: "Quote it." });
  return String(raw);
}

function readAnnotations(map: Reader): Readonly<Record<string, string>> {
  const annotations: Record<string, string> = {};
  for (const [key, entry] of map.entries()) {
    const value = scalarText(entry);
    // Names of annotations have the form of label keys, so that `__proto__` cannot be one.
    if (value !== undefined && isLabelKey(key)) annotations[key] = value;
  }
  return annotations;
}

function readTimestamp(field: Reader): string {
  const text = field.string();
  if (text === undefined) return "";
  // Text order has to be time order: the form that the API server writes.
  if (/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/.test(text)) return text;
  field.warning({
    code: "invalid-value",
    reason: `${quote(text)} is not a time in UTC, to the second`,
    remedy: "Write it as 2026-01-31T12:00:00Z.",
  });
  return "";
}
