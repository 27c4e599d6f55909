import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadManifests } from "../../agent/sources/load-manifests.ts";
import type { Mesh } from "../../agent/model/mesh.ts";

/** A temporary folder of manifests. */
export class Manifests {
  readonly folder: string = mkdtempSync(join(tmpdir(), "ambit-sources-"));

  write(file: string, content: string | Uint8Array): string {
    const path = join(this.folder, file);
    writeFileSync(path, content);
    return path;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The mesh that one file describes. */
export async function meshOf(content: string | Uint8Array): Promise<Mesh> {
  const manifests = new Manifests();
  try {
    manifests.write("a.yaml", content);
    return await loadManifests([manifests.folder]);
  } finally {
    manifests.remove();
  }
}
