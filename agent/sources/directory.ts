import type { Mesh } from "../model/mesh.ts";
import type { MeshOptions } from "../model/mesh-options.ts";
import { FollowedFolders, type RescanOptions } from "./follow-folders.ts";
import { SYSTEM_CLOCK } from "../lib/clock.ts";
import { AgesFile } from "./last-good/ages-file.ts";
import { HeldVersions } from "./last-good/held-versions.ts";
import { LastGood } from "./last-good/last-good.ts";
import { contentsOf, type FolderContents } from "./load-manifests.ts";
import { ManifestFolder } from "./manifest-folder.ts";
import type { SandboxLookup } from "../model/sandbox.ts";
import { MeshMemory } from "../objects/objects-to-mesh.ts";
import type { NodeSource } from "../model/source.ts";

export interface DirectorySourceOptions extends Partial<MeshOptions>, RescanOptions {
  /** File that keeps the last good versions of broken objects for the next process; ages are kept beside it. */
  readonly heldVersions?: string | undefined;
}

/**
 * Follows folders of manifests live. Later folders override earlier ones object by object. An object that breaks keeps
 * its last good version, and the mesh's problems name it. The Pods' annotations name their network namespaces. Throws
 * AmbitError `manifests-not-found` if a folder does not exist at the start.
 */
export async function openDirectorySource(
  folders: readonly string[],
  options: DirectorySourceOptions = {},
): Promise<NodeSource> {
  const manifests = folders.map((path, layer) => new ManifestFolder(path, layer));
  for (const folder of manifests) await folder.open();
  return new DirectorySource(manifests, options);
}

class DirectorySource implements NodeSource {
  private readonly listeners = new Set<(mesh: Mesh) => void>();
  private readonly followed: FollowedFolders;
  private contents: FolderContents;
  readonly sandboxes: SandboxLookup = { netnsOf: (uid) => this.contents.sandboxes.netnsOf(uid) };

  constructor(folders: readonly ManifestFolder[], options: DirectorySourceOptions) {
    const store = options.heldVersions === undefined ? undefined : new HeldVersions(options.heldVersions);
    const ages = options.heldVersions === undefined ? undefined : new AgesFile(options.heldVersions);
    const lastGood = new LastGood(store?.load(), SYSTEM_CLOCK, ages?.load());
    const memory = new MeshMemory();
    const read = (): FolderContents => {
      const contents = contentsOf(folders, options, lastGood, memory);
      store?.save(contents.held);
      ages?.save(lastGood.ages);
      return contents;
    };
    this.contents = read();
    this.followed = new FollowedFolders(
      folders,
      () => {
        this.contents = read();
        for (const listener of this.listeners) listener(this.contents.mesh);
      },
      options,
    );
  }

  current(): Mesh {
    return this.contents.mesh;
  }

  onChange(listener: (mesh: Mesh) => void): () => void {
    // Its own function, so that one listener given twice is called twice and taken off once.
    const entry = (mesh: Mesh): void => listener(mesh);
    this.listeners.add(entry);
    return () => this.listeners.delete(entry);
  }

  close(): void {
    this.followed.close();
    this.listeners.clear();
  }
}
