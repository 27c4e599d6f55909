import { dirname } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { AmbitError, messageOf } from "../lib/errors.ts";
import type { Problem } from "../model/problem.ts";
import { parseManifest } from "./parse-manifest.ts";
import { objectKey, type Origin, type RawObject } from "../objects/raw-object.ts";
import { readText } from "./read-text.ts";
import { lookAtFile, scanFolder, type FolderScan, type FoundFile, type ScanProblem } from "./scan-folder.ts";

/** The state of one file. */
interface ManifestFile {
  readonly stamp: string;
  readonly guarded: boolean;
  /** It was written so shortly before it was read that a later change may not show in its stamp. */
  readonly fresh: boolean;
  readonly text: string | undefined;
  readonly objects: readonly RawObject[];
  readonly problems: readonly Problem[];
  readonly faults: number;
}

const NO_OBJECTS: readonly RawObject[] = [];

/** File systems stamp in steps of up to 10 ms; some (NFS, overlays on them) more coarsely. */
const FRESH_MS = 2_000;

/**
 * A folder of manifests that is read again and again. While the folder itself is missing, its last objects stay.
 * `LastGood` decides about objects that break or vanish inside it.
 */
export class ManifestFolder {
  private readonly path: string;
  private readonly layer: number;
  private files: ReadonlyMap<string, ManifestFile> = new Map();
  private scanned: FolderScan = { files: [], directories: [], problems: [] };
  private gone: Problem | undefined;

  constructor(path: string, layer: number) {
    this.path = path;
    this.layer = layer;
  }

  get objects(): readonly RawObject[] {
    return [...this.files.values()].flatMap((file) => file.objects);
  }

  /**
   * Files, and how many faults each has: parts that cannot be identified as an object. A file that is empty or cannot
   * be read has infinitely many.
   */
  get faults(): ReadonlyMap<string, number> {
    return new Map([...this.files].map(([path, { faults }]) => [path, faults]));
  }

  get problems(): readonly Problem[] {
    const ofFiles = [...this.files.values()].flatMap((file) => file.problems);
    const ofScan = this.scanned.problems.map(scanProblem);
    return this.gone === undefined ? [...ofScan, ...ofFiles] : [this.gone, ...ofScan, ...ofFiles];
  }

  /** Every directory that holds, or may come to hold, manifests. */
  get directories(): readonly string[] {
    return this.scanned.directories.map(({ path }) => path);
  }

  /** Reads the folder for the first time. Throws AmbitError `manifests-not-found` where there is none. */
  async open(): Promise<void> {
    await this.refresh();
    if (this.gone === undefined) return;
    throw new AmbitError({
      code: "manifests-not-found",
      kind: "user",
      what: `the folder of manifests ${this.path} cannot be read`,
      why: this.gone.reason,
      remedy: "Name a folder that holds Kubernetes manifests (*.yaml, *.yml, *.json).",
    });
  }

  /** Reads what has changed since the last time; true if anything has. */
  async refresh(): Promise<boolean> {
    let scan: FolderScan;
    try {
      scan = await scanFolder(this.path);
    } catch (thrown) {
      const reason = messageOf(thrown);
      if (this.gone?.reason === reason) return false;
      this.gone = fileProblem(this.path, {
        code: "folder-missing",
        reason,
        remedy: "Restore the folder. Until then the objects that it last held are served.",
      });
      return true;
    }
    const files = new Map<string, ManifestFile>();
    let changed = this.gone !== undefined || scanText(scan) !== scanText(this.scanned);
    for (const found of scan.files) {
      const before = this.files.get(found.path);
      const now = before !== undefined && isUnchanged(before, found) ? before : await this.read(found, before);
      changed ||= now.objects !== before?.objects || now.problems !== before.problems;
      files.set(found.path, now);
    }
    changed ||= files.size !== this.files.size;
    this.gone = undefined;
    this.scanned = scan;
    this.files = files;
    return changed;
  }

  /** Did the last scan find this file? */
  holds(path: string): boolean {
    return this.gone === undefined && this.files.has(path);
  }

  /**
   * Reads one file that may have changed, and nothing else: a scan of a large folder takes long. True if its objects or
   * problems have changed; undefined if the file is gone, so that only a whole scan can tell.
   */
  async refreshFile(path: string): Promise<boolean | undefined> {
    const before = this.files.get(path);
    const directory = this.scanned.directories.find((each) => each.path === dirname(path));
    const found = await lookAtFile(path, directory);
    if (before === undefined || found === undefined) return undefined;
    const now = isUnchanged(before, found) ? before : await this.read(found, before);
    this.files = new Map(this.files).set(path, now);
    return now.objects !== before.objects || now.problems !== before.problems;
  }

  private async read(found: FoundFile, before: ManifestFile | undefined): Promise<ManifestFile> {
    const { stamp, guarded } = found;
    const fresh = Math.abs(Date.now() - found.modifiedMs) < FRESH_MS;
    const result = await readText(found.path);
    if (!("text" in result)) {
      const problem = fileProblem(found.path, result);
      const same = before?.problems.length === 1 && before.problems[0]?.reason === problem.reason;
      const problems = same ? before.problems : [problem];
      return { stamp, guarded, fresh, text: undefined, objects: NO_OBJECTS, problems, faults: Infinity };
    }
    const { text } = result;
    if (text === before?.text && guarded === before.guarded) return { ...before, stamp, fresh };
    // Somebody is most likely writing the file at this moment.
    if (text.trim() === "") return { stamp, guarded, fresh, text, objects: NO_OBJECTS, problems: [], faults: Infinity };
    const parsed = parseManifest(found.path, this.layer, text, guarded);
    return { stamp, guarded, fresh, text, ...parsed, objects: keepSame(parsed.objects, before?.objects ?? []) };
  }
}

/**
 * Keeps the object of before if content and place are the same, so that results made from it stay valid. An object with
 * line numbers is always new: a comment may have moved its lines, and problems name them.
 */
function keepSame(objects: readonly RawObject[], before: readonly RawObject[]): readonly RawObject[] {
  const known = new Map(before.map((object) => [objectKey(object), object]));
  return objects.map((object) => {
    const same = known.get(objectKey(object));
    return same !== undefined && samePlace(same.origin, object.origin) && isDeepStrictEqual(same.value, object.value)
      ? same
      : object;
  });
}

function samePlace(a: Origin, b: Origin): boolean {
  const isSame = a.document === b.document && a.item === b.item && a.guarded === b.guarded;
  return isSame && a.line === undefined && b.line === undefined;
}

function isUnchanged(file: ManifestFile, { stamp, guarded }: FoundFile): boolean {
  return !file.fresh && file.stamp === stamp && file.guarded === guarded;
}

/** The parts of a scan that matter, beside the contents of the files. */
function scanText(scan: FolderScan): string {
  return JSON.stringify([scan.problems, scan.files.map(({ path }) => path)]);
}

function scanProblem({ path, code, reason }: ScanProblem): Problem {
  return fileProblem(path, { code, reason, remedy: "Remove it, or replace it by a folder or file that can be read." });
}

function fileProblem(
  path: string,
  remark: { readonly code: string; readonly reason: string; readonly remedy: string },
): Problem {
  return { severity: "error", origin: { file: path }, subject: undefined, field: "", ...remark };
}
