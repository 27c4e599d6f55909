import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Kinds of resolved objects, each in a file of its own (`pods.json`), in the order in which they are written. */
const FILES = ["nodes", "namespaces", "services", "pods", "endpointslices"] as const;

export type ClusterObjects = Readonly<Record<(typeof FILES)[number], readonly object[]>>;

/** The folder of resolved objects: what an API server would have made of the manifests. A file appears as a whole. */
export class ClusterFiles {
  readonly #folder: string;
  readonly #written = new Map<string, string>();

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  /** Writes the files that have changed. */
  write(objects: ClusterObjects): void {
    for (const kind of FILES) {
      const text = `${JSON.stringify({ apiVersion: "v1", kind: "List", items: objects[kind] }, undefined, 1)}\n`;
      if (this.#written.get(kind) === text) continue;
      // Readers skip names that begin with a dot.
      const draft = join(this.#folder, `.${kind}.json`);
      writeFileSync(draft, text);
      renameSync(draft, join(this.#folder, `${kind}.json`));
      this.#written.set(kind, text);
    }
  }
}
