import type { Mesh } from "../model/mesh.ts";
import { ManifestFolder } from "./manifest-folder.ts";
import { objectsToMesh, type ObjectsToMeshOptions } from "./objects-to-mesh.ts";

/**
 * Reads folders of manifests once; later folders override earlier ones object by object.
 * Throws AmbitError `manifests-not-found` where one of `folders` is not there; everything else is in `problems`.
 */
export async function loadManifests(folders: readonly string[], options: ObjectsToMeshOptions = {}): Promise<Mesh> {
  const read = folders.map((path, layer) => new ManifestFolder(path, layer));
  for (const folder of read) await folder.open();
  return meshOf(read, options);
}

/** The mesh that folders describe as they were last read. */
export function meshOf(folders: readonly ManifestFolder[], options: ObjectsToMeshOptions): Mesh {
  return objectsToMesh(
    folders.flatMap((folder) => folder.objects),
    options,
    folders.flatMap((folder) => folder.problems),
  );
}
