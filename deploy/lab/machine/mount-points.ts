import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { stateDir } from "./lab-paths.ts";

/**
 * Makes a path on which a volume can be mounted. A container is a process of this machine, and a mount needs an existing file
 * or folder. This makes the missing ones, empty, and the last lab that needs one removes it. A record, one file for each
 * lab, is written before the path is made, so that nothing stays behind whichever process dies.
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

/** Removes the mount points that only this lab needed. Call it once no process of the lab runs. */
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
    // It could not be made, or somebody has put something there and owns it now.
  }
}

function recordsDir(): string {
  return join(stateDir(), "mount-points");
}

function recordsOf(path: string): string {
  return join(recordsDir(), encodeURIComponent(path));
}
