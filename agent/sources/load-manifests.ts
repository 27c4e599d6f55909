import type { Mesh } from "../model/mesh.ts";
import type { MeshOptions } from "../model/mesh-options.ts";
import { LastGood } from "./last-good.ts";
import { ManifestFolder } from "./manifest-folder.ts";
import { compareProblems, objectsToMesh } from "../objects/objects-to-mesh.ts";
import type { Version } from "./versions.ts";

/**
 * Reads folders of manifests once; later folders override earlier ones object by object.
 * Throws AmbitError `manifests-not-found` where one of `folders` is not there; everything else is in `problems`.
 */
export async function loadManifests(folders: readonly string[], options: Partial<MeshOptions> = {}): Promise<Mesh> {
  const read = folders.map((path, layer) => new ManifestFolder(path, layer));
  for (const folder of read) await folder.open();
  return meshOf(read, options, new LastGood()).mesh;
}

/** The mesh that folders describe as they were last read, and what of it is in no file any more. */
export function meshOf(
  folders: readonly ManifestFolder[],
  options: Partial<MeshOptions>,
  lastGood: LastGood,
): { readonly mesh: Mesh; readonly held: readonly Version[] } {
  const objects = folders.flatMap((folder) => folder.objects);
  const faults = new Map(folders.flatMap((folder) => [...folder.faults]));
  const { value, problems, held } = lastGood.choose(objects, faults, (chosen) => objectsToMesh(chosen, options));
  const all = [...folders.flatMap((folder) => folder.problems), ...problems];
  return { mesh: { ...value, problems: all.sort(compareProblems) }, held };
}
