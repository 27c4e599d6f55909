import type { Stats } from "node:fs";
import { lstat, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { compareText } from "../lib/compare.ts";
import { errnoOf, messageOf } from "../lib/errors.ts";

/** A file with the name of a manifest. */
export interface FoundFile {
  readonly path: string;
  /** Changes whenever the file does, unless it does so twice within one tick of the file system's clock. */
  readonly stamp: string;
  readonly size: number;
  readonly modifiedMs: number;
  readonly guarded: boolean;
}

export interface FoundDirectory {
  readonly path: string;
  /** Nobody but root can change what is in it. */
  readonly guarded: boolean;
}

export interface ScanProblem {
  readonly path: string;
  readonly code: "symlink-loop" | "unreadable" | "not-a-file";
  readonly reason: string;
}

export interface FolderScan {
  readonly files: readonly FoundFile[];
  /** The folder itself and those below it, by the path under which they were found. */
  readonly directories: readonly FoundDirectory[];
  readonly problems: readonly ScanProblem[];
}

const MANIFEST = /\.(ya?ml|json)$/;

/**
 * Lists manifests (`*.yaml`, `*.yml`, `*.json`) under a folder, in the order of their paths. Names that begin with a
 * dot are skipped: editors and mounted ConfigMaps use such names for files of their own. Follows symbolic links, enters
 * each directory once. Rejects where the folder itself cannot be listed.
 */
export async function scanFolder(root: string): Promise<FolderScan> {
  const scan = { files: [] as FoundFile[], directories: [] as FoundDirectory[], problems: [] as ScanProblem[] };
  const entered = new Set<string>();
  const walk = async (directory: string, above: ReadonlySet<string>, guardedAbove: boolean): Promise<void> => {
    const own = await stat(directory);
    const guarded = guardedAbove && isRootOnly(own);
    const identity = `${own.dev}:${own.ino}`;
    if (above.has(identity)) {
      const reason = "a symbolic link leads back to a folder above it";
      scan.problems.push({ path: directory, code: "symlink-loop", reason });
      return;
    }
    if (entered.has(identity)) return;
    entered.add(identity);
    const entries = (await readdir(directory, { withFileTypes: true }))
      .filter(({ name }) => !name.startsWith("."))
      .sort((a, b) => compareText(a.name, b.name));
    scan.directories.push({ path: directory, guarded });
    for (const entry of entries) {
      const { name } = entry;
      const path = join(directory, name);
      // The folder that a link leads into may be anybody's.
      const reached = guarded && !entry.isSymbolicLink();
      try {
        const found = await stat(path);
        if (found.isDirectory()) await walk(path, new Set([...above, identity]), reached);
        else if (!MANIFEST.test(name)) continue;
        else if (!found.isFile()) scan.problems.push({ path, code: "not-a-file", reason: "this is no regular file" });
        else scan.files.push(foundFile(path, found, reached));
      } catch (thrown) {
        const errno = errnoOf(thrown);
        if (errno === "ELOOP") {
          scan.problems.push({ path, code: "symlink-loop", reason: "symbolic links lead in a circle" });
        } else if (errno !== "ENOENT" || (await isLink(path))) {
          // A file that vanished during the scan is simply gone. A dangling link is a problem.
          scan.problems.push({ path, code: "unreadable", reason: messageOf(thrown) });
        }
      }
    }
  };
  await walk(root, new Set(), true);
  return scan;
}

/** One file of a directory as a scan would find it; undefined where it is no file any more. */
export async function lookAtFile(path: string, directory: FoundDirectory | undefined): Promise<FoundFile | undefined> {
  try {
    const found = await stat(path);
    const reached = directory?.guarded === true && !(await isLink(path));
    return found.isFile() ? foundFile(path, found, reached) : undefined;
  } catch {
    return undefined;
  }
}

/** `reached`: only root can put another file in its place. */
function foundFile(path: string, found: Stats, reached: boolean): FoundFile {
  const { dev, ino, size, mtimeMs, ctimeMs } = found;
  const stamp = `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}`;
  return { path, stamp, size, modifiedMs: mtimeMs, guarded: reached && isRootOnly(found) };
}

/** The user that runs this process counts like root: agents run as root, and `ambit compile` works for its own user. */
function isRootOnly({ uid, mode }: Stats): boolean {
  return (uid === 0 || uid === process.geteuid?.()) && (mode & 0o022) === 0;
}

async function isLink(path: string): Promise<boolean> {
  return lstat(path).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );
}
