import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { stateDir } from "./lab-paths.ts";

/**
 * A container is a process of this machine, so a volume can only be mounted where this machine has something. What is missing
 * is made, empty, and taken away when the last lab that needed it goes. Each is recorded before it is made, by a file for
 * each lab, so that nothing stays behind whoever died.
 */
export function ensureMountPoint(lab: string, path: string, isFolder: boolean): void {
  const missing: string[] = [];
  for (let at = path; !existsSync(at) || isOurs(at); at = dirname(at)) missing.unshift(at);
  for (const at of missing) {
    const record = join(recordsOf(at), lab);
    mkdirSync(dirname(record), { recursive: true });
    writeFileSync(record, "");
    if (existsSync(at)) continue;
    if (at === path && !isFolder) writeFileSync(at, "");
    else mkdirSync(at);
  }
}

/** Takes away what this lab was the last to need. To be called when nothing of it runs any more. */
export function releaseMountPoints(lab: string): void {
  const root = recordsDir();
  if (!existsSync(root)) return;
  // Deepest first.
  const paths = readdirSync(root).map((name) => decodeURIComponent(name));
  for (const path of paths.toSorted((a, b) => b.length - a.length)) {
    rmSync(join(recordsOf(path), lab), { force: true });
    if (readdirSync(recordsOf(path)).length > 0) continue;
    removeEmpty(path);
    rmSync(recordsOf(path), { recursive: true });
  }
}

function isOurs(path: string): boolean {
  return existsSync(recordsOf(path));
}

function removeEmpty(path: string): void {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory() === true) rmdirSync(path);
    else if (found?.size === 0) rmSync(path);
  } catch {
    // It never could be made, or somebody has put something there: it is theirs now.
  }
}

function recordsDir(): string {
  return join(stateDir(), "mount-points");
}

function recordsOf(path: string): string {
  return join(recordsDir(), encodeURIComponent(path));
}
