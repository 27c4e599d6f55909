import type { Mesh } from "../model/mesh.ts";
import { ManifestFolder } from "./manifest-folder.ts";
import { objectsToMesh, type ObjectsToMeshOptions } from "./objects-to-mesh.ts";
import { objectKey } from "./raw-object.ts";
import { templatePods } from "./template-pods.ts";

/** The mesh that folders of manifests would make: with a Pod for each Deployment and its like, where none of its name is there. */
export async function loadDeclared(folders: readonly string[], options: ObjectsToMeshOptions = {}): Promise<Mesh> {
  const read = folders.map((path, layer) => new ManifestFolder(path, layer));
  for (const folder of read) await folder.open();
  const objects = read.flatMap((folder) => folder.objects);
  const known = new Set(objects.map(objectKey));
  const made = templatePods(objects).filter((pod) => !known.has(objectKey(pod)));
  return objectsToMesh([...objects, ...made], options);
}
