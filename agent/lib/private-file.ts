import { mkdirSync, renameSync, writeFileSync } from "node:fs";

/** Writes a file that only its owner may read: whole or not at all, whatever ends this process meanwhile. */
export function writePrivateFile(path: string, text: string): void {
  const draft = `${path}.${process.pid}.draft`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, path);
}

export function makePrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
}
