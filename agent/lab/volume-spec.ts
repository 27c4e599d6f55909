import { isAbsolute, normalize } from "node:path";
import type { Reader } from "../sources/reader.ts";
import type { ConfigKind } from "./config-data.ts";
import { warnOfUnsupported } from "./unsupported.ts";

/** Where a container sees a volume, or a part of it. */
export interface VolumeMount {
  readonly volume: string;
  /** An absolute path. */
  readonly path: string;
  /** A file or folder inside the volume; "" for all of it. */
  readonly subPath: string;
  readonly readOnly: boolean;
}

/** Where a volume's contents come from. */
export type VolumeSource =
  | {
      readonly type: "config";
      readonly kind: ConfigKind;
      readonly name: string;
      /** Keys and the paths of their files; undefined: every key under its own name. */
      readonly items: readonly { readonly key: string; readonly path: string }[] | undefined;
      readonly mode: number;
      readonly optional: boolean;
    }
  | { readonly type: "empty" }
  /** Kept for as long as the lab lives, whatever becomes of the pod: a StatefulSet's claim. */
  | { readonly type: "claim"; readonly name: string };

export interface VolumeSpec {
  readonly name: string;
  readonly source: VolumeSource;
}

const MODE = 0o644;

export function readVolumeMount(entry: Reader): VolumeMount | undefined {
  warnOfUnsupported(entry, ["name", "mountPath", "subPath", "readOnly"]);
  const volume = entry.field("name").required().string();
  const path = entry
    .field("mountPath")
    .required()
    .parsed(
      (text) => (isAbsolute(text) && normalize(text) !== "/" ? normalize(text).replace(/\/$/, "") : undefined),
      "a path",
      "Write an absolute path below /.",
    );
  const subPath = readInside(entry.field("subPath")) ?? "";
  const readOnly = entry.field("readOnly").boolean() ?? false;
  return volume === undefined || path === undefined ? undefined : { volume, path, subPath, readOnly };
}

/** undefined for a volume that the lab does not make: it is reported. */
export function readVolume(entry: Reader): VolumeSpec | undefined {
  warnOfUnsupported(entry, ["name", "configMap", "secret", "emptyDir"]);
  const name = entry
    .field("name")
    .required()
    .parsed((text) => (/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text) ? text : undefined), "a name", NAME_REMEDY);
  if (name === undefined) return undefined;
  for (const [field, kind, nameField] of [
    ["configMap", "ConfigMap", "name"],
    ["secret", "Secret", "secretName"],
  ] as const) {
    const source = entry.field(field);
    if (!source.present) continue;
    warnOfUnsupported(source, [nameField, "items", "defaultMode", "optional"]);
    const object = source.field(nameField).required().string();
    const optional = source.field("optional").boolean() ?? false;
    const mode = source.field("defaultMode").integer(0, 0o777) ?? MODE;
    const items = source.field("items").present ? source.field("items").list(readItem) : undefined;
    return object === undefined
      ? undefined
      : { name, source: { type: "config", kind, name: object, items, mode, optional } };
  }
  const empty = entry.field("emptyDir");
  if (!empty.present) return undefined;
  warnOfUnsupported(empty, []);
  return { name, source: { type: "empty" } };
}

const NAME_REMEDY = "Use lower-case letters, digits and hyphens.";

function readItem(entry: Reader): { readonly key: string; readonly path: string } | undefined {
  warnOfUnsupported(entry, ["key", "path"]);
  const key = entry.field("key").required().string();
  const path = readInside(entry.field("path").required());
  return key === undefined || path === undefined ? undefined : { key, path };
}

/** A path that stays inside its volume. */
function readInside(field: Reader): string | undefined {
  return field.parsed(
    (text) => (isAbsolute(text) || text.split("/").includes("..") ? undefined : normalize(text)),
    "a path inside the volume",
    "Write a relative path without '..'.",
  );
}
