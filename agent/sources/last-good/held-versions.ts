import { readFileSync } from "node:fs";
import { writePrivateFile } from "../../lib/private-file.ts";
import type { Version } from "./candidates.ts";

/**
 * Keeps on disk the versions that count although no file holds them any more. Without them the next process would find
 * only the broken files, and take away what worked.
 */
export class HeldVersions {
  readonly #file: string;
  #text: string | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  /** The versions of the process before; none if there was no such process, or if its file cannot be read. */
  load(): readonly Version[] {
    try {
      this.#text = readFileSync(this.#file, "utf8");
      const value: unknown = JSON.parse(this.#text);
      return Array.isArray(value) ? value.filter(isVersion) : [];
    } catch {
      return [];
    }
  }

  save(held: readonly Version[]): void {
    const text = JSON.stringify(
      held.map(({ since, object }) => {
        const { group, version, kind, namespace, name, value, origin } = object;
        const { layer, file, guarded } = origin;
        const place = { layer, file, guarded, document: 0, item: 0 };
        return { since, object: { group, version, kind, namespace, name, value, origin: place } };
      }),
    );
    if (text === (this.#text ?? "[]")) return;
    try {
      writePrivateFile(this.#file, text);
      this.#text = text;
    } catch {
      // On a full disk only the next process misses these versions. The next change tries again.
    }
  }
}

function isVersion(value: unknown): value is Version {
  if (!isRecord(value) || typeof value["since"] !== "string" || !isRecord(value["object"])) return false;
  const { object } = value;
  const isText = ["group", "version", "kind", "namespace", "name"].every((field) => typeof object[field] === "string");
  const { origin } = object;
  return isText && isRecord(object["value"]) && isRecord(origin) && typeof origin["file"] === "string";
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
