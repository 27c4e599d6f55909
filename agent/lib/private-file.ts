import { linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { errnoOf } from "./errors.ts";

/**
 * Writes a file that only its owner may read. If this process ends meanwhile, the file is the old one or the new one,
 * never a part.
 */
export function writePrivateFile(path: string, text: string): void {
  const draft = `${path}.${process.pid}.draft`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, path);
}

/** Like `writePrivateFile`, but never replaces a file: if another process was faster, the file of that process stays. */
export function createPrivateFile(path: string, text: string): void {
  const draft = `${path}.${process.pid}.draft`;
  writeFileSync(draft, text, { mode: 0o600 });
  try {
    linkSync(draft, path);
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
  } finally {
    rmSync(draft);
  }
}

export function makePrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
}
