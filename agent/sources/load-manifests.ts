import type { Mesh } from "../model/mesh.ts";
import type { MeshOptions } from "../model/mesh-options.ts";
import type { SandboxLookup } from "../model/sandbox.ts";
import { compareProblems, MeshMemory, objectsToMesh } from "../objects/objects-to-mesh.ts";
import { annotatedSandboxes } from "./annotated-sandboxes.ts";
import { LastGood } from "./last-good/last-good.ts";
import { ManifestFolder } from "./manifest-folder.ts";
import type { Version } from "./last-good/candidates.ts";

/** What folders of manifests say. */
export interface FolderContents {
  readonly mesh: Mesh;
  /** Network namespaces by the Pods' annotation. */
  readonly sandboxes: SandboxLookup;
}

/** The mesh of `loadFolders`, for callers that need no network namespaces. */
export async function loadManifests(folders: readonly string[], options: Partial<MeshOptions> = {}): Promise<Mesh> {
  return (await loadFolders(folders, options)).mesh;
}

/**
 * Reads folders of manifests once; later folders override earlier ones object by object.
 * Throws AmbitError `manifests-not-found` if one of `folders` does not exist. All other faults are in the mesh's problems.
 */
export async function loadFolders(
  folders: readonly string[],
  options: Partial<MeshOptions> = {},
): Promise<FolderContents> {
  const read = folders.map((path, layer) => new ManifestFolder(path, layer));
  for (const folder of read) await folder.open();
  return contentsOf(read, options, new LastGood(), new MeshMemory());
}

/** What the folders said when they were last read. `held`: versions that count although no file holds them any more. */
export function contentsOf(
  folders: readonly ManifestFolder[],
  options: Partial<MeshOptions>,
  lastGood: LastGood,
  memory: MeshMemory,
): FolderContents & { readonly held: readonly Version[] } {
  const objects = folders.flatMap((folder) => folder.objects);
  const faults = new Map(folders.flatMap((folder) => [...folder.faults]));
  const { value, problems, held } = lastGood.choose(objects, faults, (chosen) => {
    const mesh = objectsToMesh(chosen, options, memory);
    const { sandboxes, problems: ofSandboxes } = annotatedSandboxes(mesh, chosen);
    return { mesh, sandboxes, problems: [...mesh.problems, ...ofSandboxes] };
  });
  const all = [...folders.flatMap((folder) => folder.problems), ...problems];
  return { mesh: { ...value.mesh, problems: all.sort(compareProblems) }, sandboxes: value.sandboxes, held };
}
