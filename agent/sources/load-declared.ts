import type { Mesh } from "../model/mesh.ts";
import type { MeshOptions } from "../model/mesh-options.ts";
import { namespacedName } from "../model/meta.ts";
import { HeldVersions } from "./held-versions.ts";
import { LastGood } from "./last-good.ts";
import { ManifestFolder } from "./manifest-folder.ts";
import { objectsToMesh } from "../objects/objects-to-mesh.ts";
import { templatePods } from "./template-pods.ts";

export interface LoadDeclaredOptions extends Partial<MeshOptions> {
  /** Where an agent that follows the folders notes what it serves in place of what has broken in them. */
  readonly heldVersions?: string | undefined;
}

/** The mesh that folders of manifests would make: with a Pod for each Deployment and its like that has made none yet. */
export async function loadDeclared(folders: readonly string[], options: LoadDeclaredOptions = {}): Promise<Mesh> {
  const read = folders.map((path, layer) => new ManifestFolder(path, layer));
  for (const folder of read) await folder.open();
  const held = options.heldVersions === undefined ? [] : new HeldVersions(options.heldVersions).load();
  const { value: mesh, objects } = new LastGood(held).choose(
    read.flatMap((folder) => folder.objects),
    new Map(read.flatMap((folder) => [...folder.faults])),
    (chosen) => objectsToMesh(chosen, options),
  );
  const running = new Set(
    mesh.workloads
      .filter(({ terminated }) => !terminated)
      .flatMap(({ meta, workloadName }) =>
        [meta.name, workloadName].map((name) => namespacedName(meta.namespace, name)),
      ),
  );
  const made = templatePods(objects).filter(({ namespace, name }) => !running.has(namespacedName(namespace, name)));
  return made.length === 0 ? mesh : objectsToMesh([...objects, ...made], options);
}
