import { readFileSync } from "node:fs";
import { writePrivateFile } from "../lib/private-file.ts";
import { TOKEN_ALGORITHMS, type VerificationKey } from "../model/verification-key.ts";

type Keys = ReadonlyMap<string, readonly VerificationKey[]>;

/** Keeps the last keys on disk, so that after a restart of the agent valid tokens are accepted before the first fetch. */
export class StoredKeys {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** By URL; empty if there is no file, or the file cannot be read. */
  load(): Keys {
    try {
      const value: unknown = JSON.parse(readFileSync(this.#file, "utf8"));
      return new Map(Array.isArray(value) ? value.filter(isEntry) : []);
    } catch {
      return new Map();
    }
  }

  save(keys: Keys): void {
    try {
      writePrivateFile(this.#file, JSON.stringify([...keys]));
    } catch {
      // With a full disk only the next process lacks the keys; the next change tries again.
    }
  }
}

function isEntry(value: unknown): value is readonly [string, readonly VerificationKey[]] {
  return Array.isArray(value) && typeof value[0] === "string" && Array.isArray(value[1]) && value[1].every(isKey);
}

function isKey(value: unknown): value is VerificationKey {
  if (typeof value !== "object" || value === null) return false;
  const { kid, algorithms, spki } = value as Partial<Readonly<Record<keyof VerificationKey, unknown>>>;
  const known: readonly unknown[] = TOKEN_ALGORITHMS;
  const areKnown = Array.isArray(algorithms) && algorithms.every((each) => known.includes(each));
  return typeof kid === "string" && typeof spki === "string" && areKnown;
}
