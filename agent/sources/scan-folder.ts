import type { Stats } from "node:fs";
import { lstat, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf, messageOf } from "../lib/errors.ts";

/** A manifest, or something in its place that cannot be read. */
export interface FoundFile {
  readonly path: string;
  /** Changes whenever the file does, unless it does so twice within one tick of the file system's clock. */
  readonly stamp: string;
  readonly size: number;
  readonly modifiedMs: number;
}

export interface ScanProblem {
  readonly path: string;
  readonly code: "symlink-loop" | "unreadable" | "not-a-file";
  readonly reason: string;
}

export interface FolderScan {
  readonly files: readonly FoundFile[];
  /** The folder itself and those below it, by the path under which they were found. */
  readonly directories: readonly string[];
  readonly problems: readonly ScanProblem[];
}

const MANIFEST = /\.(ya?ml|json)$/;

/**
 * Lists manifests (`*.yaml`, `*.yml`, `*.json`) under a folder, in the order of their paths. Names that begin with a dot
 * are skipped: editors and mounted ConfigMaps keep their own affairs there. Follows symbolic links, enters each
 * directory once. Rejects where the folder itself cannot be listed.
 */
export async function scanFolder(root: string): Promise<FolderScan> {
  const scan = { files: [] as FoundFile[], directories: [] as string[], problems: [] as ScanProblem[] };
  const entered = new Set<string>();
  const walk = async (directory: string, above: ReadonlySet<string>): Promise<void> => {
    const { dev, ino } = await stat(directory);
    const identity = `${dev}:${ino}`;
    if (above.has(identity)) {
      const reason = "a symbolic link leads back to a folder above it";
      scan.problems.push({ path: directory, code: "symlink-loop", reason });
      return;
    }
    if (entered.has(identity)) return;
    entered.add(identity);
    const names = (await readdir(directory)).filter((name) => !name.startsWith(".")).sort();
    scan.directories.push(directory);
    for (const name of names) {
      const path = join(directory, name);
      try {
        const found = await stat(path);
        if (found.isDirectory()) await walk(path, new Set([...above, identity]));
        else if (!MANIFEST.test(name)) continue;
        else if (!found.isFile()) scan.problems.push({ path, code: "not-a-file", reason: "this is no regular file" });
        else scan.files.push(foundFile(path, found));
      } catch (thrown) {
        const errno = errnoOf(thrown);
        if (errno === "ELOOP") {
          scan.problems.push({ path, code: "symlink-loop", reason: "symbolic links lead in a circle" });
        } else if (errno !== "ENOENT" || (await isLink(path))) {
          // What vanished while the folder was being read is simply gone; a dangling link is not.
          scan.problems.push({ path, code: "unreadable", reason: messageOf(thrown) });
        }
      }
    }
  };
  await walk(root, new Set());
  return scan;
}

/** One file as a scan would find it; undefined where it is no file any more. */
export async function lookAtFile(path: string): Promise<FoundFile | undefined> {
  return stat(path).then(
    (found) => (found.isFile() ? foundFile(path, found) : undefined),
    () => undefined,
  );
}

function foundFile(path: string, { dev, ino, size, mtimeMs, ctimeMs }: Stats): FoundFile {
  return { path, stamp: `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}`, size, modifiedMs: mtimeMs };
}

async function isLink(path: string): Promise<boolean> {
  return lstat(path).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );
}
