import { isAbsolute, normalize } from "node:path";
import { didYouMean } from "../../../agent/objects/did-you-mean.ts";
import { quote, type Reader } from "../../../agent/objects/reader.ts";
import type { ConfigKind } from "./config-data.ts";
import { warnOfUnsupported } from "./unsupported.ts";

/** A mount of a volume, or of a part of it, in a container. */
export interface VolumeMount {
  readonly volume: string;
  /** An absolute path. */
  readonly path: string;
  /** A file or folder inside the volume; "" for the whole volume. */
  readonly subPath: string;
  readonly readOnly: boolean;
}

/** Where a volume's contents come from. */
export type VolumeSource =
  | {
      readonly type: "config";
      readonly kind: ConfigKind;
      readonly name: string;
      /** Keys and the paths of their files; undefined: each key is a file with the key's name. */
      readonly items: readonly { readonly key: string; readonly path: string }[] | undefined;
      readonly mode: number;
      readonly optional: boolean;
    }
  | { readonly type: "empty" }
  /** A StatefulSet's claim. It lives as long as the lab, longer than the pod. */
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

/** undefined for a volume that the lab does not make. `reportMounts` and the reader report it. */
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
    const items = source.field("items").present ? readItems(source.field("items")) : undefined;
    return object === undefined
      ? undefined
      : { name, source: { type: "config", kind, name: object, items, mode, optional } };
  }
  if (!isMade(entry)) return undefined;
  warnOfUnsupported(entry.field("emptyDir"), []);
  return { name, source: { type: "empty" } };
}

/** Whether the lab makes this volume. In core/v1 a volume with nothing but a name is an emptyDir. */
function isMade(volume: Reader): boolean {
  if (volume.field("configMap").present || volume.field("secret").present) return true;
  return volume.entries().every(([field, value]) => field === "name" || field === "emptyDir" || !value.present);
}

/**
 * Reports the mounts of one container that have no volume. `volumes`: the pod's; `claims`: the names of the claims that its
 * controller adds to them.
 */
export function reportMounts(container: Reader, volumes: readonly Reader[], claims: readonly string[]): void {
  const names = volumes.map((volume) => volume.field("name").raw);
  const made = [...claims, ...volumes.flatMap((volume) => (isMade(volume) ? [volume.field("name").raw] : []))];
  for (const mount of container.field("volumeMounts").items()) {
    const name = mount.field("name");
    if (typeof name.raw !== "string" || made.includes(name.raw)) continue;
    if (names.includes(name.raw)) {
      name.warning({
        code: "lab-unsupported-field",
        reason: `the lab does not make the volume ${quote(name.raw)}: the container waits for it`,
        remedy: "Make it an emptyDir, a configMap or a secret, or take the mount out.",
      });
    } else {
      const known = [...new Set([...names, ...claims])].filter((each) => typeof each === "string");
      const guess = didYouMean(name.raw, known);
      const remedy = guess === undefined ? "Add it to the pod's volumes." : `Did you mean ${quote(guess)}?`;
      name.invalid("volume-not-found", `the pod has no volume ${quote(name.raw)}`, remedy);
    }
  }
}

const NAME_REMEDY = "Use lower-case letters, digits and hyphens.";

interface Item {
  readonly key: string;
  readonly path: string;
}

/** Each item is a file of its own: one item's file cannot be a folder of another item. */
function readItems(list: Reader): readonly Item[] {
  const taken: string[] = [];
  return list.list((entry) => {
    const item = readItem(entry);
    if (item === undefined) return undefined;
    const other = taken.find((path) => isBelow(path, item.path) || isBelow(item.path, path));
    taken.push(item.path);
    if (other === undefined) return item;
    const reason = `${quote(item.path)} and ${quote(other)} cannot both be files of one volume`;
    return entry.field("path").invalid("conflicting-paths", reason, "Give each item a path of its own.");
  });
}

function readItem(entry: Reader): Item | undefined {
  warnOfUnsupported(entry, ["key", "path"]);
  const key = entry.field("key").required().string();
  // Names with two leading dots are reserved: `..data` switches all files of a volume at once.
  const path = entry
    .field("path")
    .required()
    .parsed(
      (text) => (isInside(text) && !/^\.$|^\.\.|\/$/.test(normalize(text)) ? normalize(text) : undefined),
      "a file's path inside the volume",
      "Write a relative path that ends with a file's name and does not begin with '..'.",
    );
  return key === undefined || path === undefined ? undefined : { key, path };
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`);
}

/** A path that stays inside its volume. */
function readInside(field: Reader): string | undefined {
  return field.parsed(
    (text) => (isInside(text) ? normalize(text) : undefined),
    "a path inside the volume",
    "Write a relative path without '..'.",
  );
}

function isInside(path: string): boolean {
  return !isAbsolute(path) && !path.split("/").includes("..");
}
