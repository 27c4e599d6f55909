import { readFileSync } from "node:fs";
import { writePrivateFile } from "../../lib/private-file.ts";
import type { KnownAges } from "./ages.ts";

/**
 * Keeps on disk since when each object is there. Without it the next process would take all objects for equally old, and of
 * two in conflict the newcomer might count.
 */
export class AgesFile {
  readonly #file: string;
  #written: KnownAges | undefined;

  /** `heldVersions`: the file that keeps the last good versions. This one is beside it. */
  constructor(heldVersions: string) {
    this.#file = heldVersions.replace(/(\.json)?$/u, "-ages.json");
  }

  /** What the process before knew; undefined if there was none, or if its file cannot be read. */
  load(): KnownAges | undefined {
    try {
      const value: unknown = JSON.parse(readFileSync(this.#file, "utf8"));
      return Array.isArray(value) && value.every(isEntry) ? new Map(value) : undefined;
    } catch {
      return undefined;
    }
  }

  save(ages: KnownAges): void {
    const before = this.#written;
    if (before?.size === ages.size && [...ages].every(([key, since]) => before.get(key) === since)) return;
    try {
      writePrivateFile(this.#file, JSON.stringify([...ages]));
      this.#written = ages;
    } catch {
      // On a full disk only the next process misses these ages. The next change tries again.
    }
  }
}

function isEntry(value: unknown): value is readonly [string, string] {
  return Array.isArray(value) && value.length === 2 && value.every((each) => typeof each === "string");
}
