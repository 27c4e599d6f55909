import { linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { errnoOf } from "./errors.ts";

/** Writes a file that only its owner may read: whole or not at all, whatever ends this process meanwhile. */
export function writePrivateFile(path: string, text: string): void {
  const draft = `${path}.${process.pid}.draft`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, path);
}

/** The same for a file that is made once: where another process was quicker, its file stays. */
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
