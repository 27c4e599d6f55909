import type { Mesh } from "../model/mesh.ts";
import { namespacedName } from "../model/meta.ts";
import { ManifestFolder } from "./manifest-folder.ts";
import { objectsToMesh, type ObjectsToMeshOptions } from "./objects-to-mesh.ts";
import { templatePods } from "./template-pods.ts";

/** The mesh that folders of manifests would make: with a Pod for each Deployment and its like that has made none yet. */
export async function loadDeclared(folders: readonly string[], options: ObjectsToMeshOptions = {}): Promise<Mesh> {
  const read = folders.map((path, layer) => new ManifestFolder(path, layer));
  for (const folder of read) await folder.open();
  const objects = read.flatMap((folder) => folder.objects);
  const mesh = objectsToMesh(objects, options);
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
