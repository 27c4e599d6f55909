import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { messageOf } from "../../../agent/lib/errors.ts";
import type { ConfigData, ConfigLookup } from "../pod-spec/config-data.ts";
import type { VolumeMount, VolumeSpec } from "../pod-spec/volume-spec.ts";

/** A bind mount: the container sees `source` at `target`. */
export interface BindMount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/** The volumes of one pod, as folders of this machine. */
export class Volumes {
  readonly #folder: string;
  readonly #claims: string;
  readonly #specs: ReadonlyMap<string, VolumeSpec>;
  readonly #lookup: ConfigLookup;
  readonly #written = new Map<string, string>();

  /** `folder` goes with the pod, `claims` with the lab. */
  constructor(folder: string, claims: string, specs: readonly VolumeSpec[], lookup: ConfigLookup) {
    this.#folder = folder;
    this.#claims = claims;
    this.#specs = new Map(specs.map((spec) => [spec.name, spec]));
    this.#lookup = lookup;
  }

  /** The mounts of a container. A text instead of them names what is missing. */
  mounts(wanted: readonly VolumeMount[]): readonly BindMount[] | string {
    const mounts: BindMount[] = [];
    for (const { volume, path, subPath, readOnly } of wanted) {
      const spec = this.#specs.get(volume);
      if (spec === undefined) return `there is no volume ${volume}`;
      const folder = this.#make(spec);
      if (typeof folder !== "object") return folder;
      const source = join(folder.path, subPath);
      if (!existsSync(source)) {
        if (spec.source.type === "config") return `the volume ${volume} has no ${subPath}`;
        mkdirSync(source, { recursive: true });
      }
      mounts.push({ source, target: path, readOnly: readOnly || spec.source.type === "config" });
    }
    return mounts;
  }

  /** Brings the volumes in use up to date with their ConfigMaps and Secrets. Returns the failures, in words. */
  refresh(): string {
    const stale: string[] = [];
    for (const name of this.#written.keys()) {
      const spec = this.#specs.get(name);
      try {
        if (spec !== undefined) this.#make(spec);
      } catch (error) {
        // Other volumes and other pods go on. This volume keeps its old files.
        stale.push(`the volume ${name} could not be brought up to date: ${messageOf(error)}`);
      }
    }
    return stale.join("; ");
  }

  #make({ name, source }: VolumeSpec): { readonly path: string } | string {
    if (source.type === "claim") {
      const path = join(this.#claims, source.name);
      mkdirSync(path, { recursive: true });
      return { path };
    }
    const path = join(this.#folder, name);
    mkdirSync(path, { recursive: true });
    if (source.type === "empty") {
      chmodSync(path, 0o777);
      return { path };
    }
    const data = this.#lookup(source.kind, source.name);
    if (data === undefined && !source.optional) return `there is no ${source.kind} ${source.name}`;
    const contents = filesOf(data ?? new Map(), source.items, source.optional);
    if (typeof contents === "string") return `${source.kind} ${source.name}: ${contents}`;
    const stamp = JSON.stringify([...contents].map(([file, bytes]) => [file, bytes.toString("base64")]));
    if (this.#written.get(name) !== stamp) swapIn(path, contents, source.mode);
    this.#written.set(name, stamp);
    return { path };
  }
}

function filesOf(
  data: ConfigData,
  items: readonly { readonly key: string; readonly path: string }[] | undefined,
  optional: boolean,
): ReadonlyMap<string, Buffer> | string {
  if (items === undefined) return data;
  const files = new Map<string, Buffer>();
  for (const { key, path } of items) {
    const bytes = data.get(key);
    if (bytes !== undefined) files.set(path, bytes);
    else if (!optional) return `there is no key ${key}`;
  }
  return files;
}

/**
 * As the kubelet does it: the files are in a folder of their own, `..data` points to it, and each name points into `..data`.
 * So all files change at once, also for processes that watch them.
 */
function swapIn(folder: string, files: ReadonlyMap<string, Buffer>, mode: number): void {
  // mkdtemp adds random letters, since two changes can come within one millisecond.
  const made = mkdtempSync(join(folder, `..${new Date().toISOString().replaceAll(/[-:TZ]/g, "_")}`));
  chmodSync(made, 0o755);
  const version = basename(made);
  for (const [file, bytes] of files) {
    const path = join(made, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
    chmodSync(path, mode);
  }
  rmSync(join(folder, "..data_new"), { force: true });
  symlinkSync(version, join(folder, "..data_new"));
  renameSync(join(folder, "..data_new"), join(folder, "..data"));
  const tops = new Set([...files.keys()].map((file) => file.split("/")[0] ?? file));
  for (const top of tops) if (!existsSync(join(folder, top))) symlinkSync(join("..data", top), join(folder, top));
  for (const entry of readdirSync(folder)) {
    const isOld = entry.startsWith("..") ? entry !== "..data" && entry !== version : !tops.has(entry);
    if (isOld) rmSync(join(folder, entry), { recursive: true, force: true });
  }
}
