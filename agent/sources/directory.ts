import type { Mesh } from "../model/mesh.ts";
import { Debounce } from "./debounce.ts";
import { FolderWatch } from "./folder-watch.ts";
import { meshOf } from "./load-manifests.ts";
import { ManifestFolder } from "./manifest-folder.ts";
import type { ObjectsToMeshOptions } from "./objects-to-mesh.ts";
import type { Source } from "./source.ts";

export interface DirectorySourceOptions extends ObjectsToMeshOptions {
  /** Folders are looked through this often, whether or not the kernel told of a change. Milliseconds, default 2000. */
  readonly rescanMs?: number;
}

/** A burst of changes is read this long after its last one, but at the latest after MAX_WAIT_MS. */
const WAIT_MS = 30;
const MAX_WAIT_MS = 250;

/**
 * Folders of manifests that are followed live; later folders override earlier ones object by object. What becomes
 * unreadable keeps its last objects and is in the mesh's problems.
 * Throws AmbitError `manifests-not-found` where a folder is not there to begin with.
 */
export async function openDirectorySource(
  folders: readonly string[],
  options: DirectorySourceOptions = {},
): Promise<Source> {
  const manifests = folders.map((path, layer) => new ManifestFolder(path, layer));
  for (const folder of manifests) await folder.open();
  return new DirectorySource(manifests, options);
}

class DirectorySource implements Source {
  private readonly folders: readonly ManifestFolder[];
  private readonly options: DirectorySourceOptions;
  private readonly listeners = new Set<(mesh: Mesh) => void>();
  private readonly debounce: Debounce;
  private readonly watch: FolderWatch;
  private readonly rescan: NodeJS.Timeout;
  private closed = false;
  private mesh: Mesh;

  constructor(folders: readonly ManifestFolder[], options: DirectorySourceOptions) {
    this.folders = folders;
    this.options = options;
    this.mesh = meshOf(folders, options);
    this.debounce = new Debounce(() => this.refresh(), WAIT_MS, MAX_WAIT_MS);
    this.watch = new FolderWatch(() => this.debounce.call());
    this.watchAll();
    this.rescan = setInterval(() => this.debounce.call(), options.rescanMs ?? 2_000);
    // What changed between the first look and the first watch.
    this.debounce.call();
  }

  current(): Mesh {
    return this.mesh;
  }

  onChange(listener: (mesh: Mesh) => void): () => void {
    // Its own function, so that one listener given twice is called twice and taken off once.
    const entry = (mesh: Mesh): void => listener(mesh);
    this.listeners.add(entry);
    return () => this.listeners.delete(entry);
  }

  close(): void {
    this.closed = true;
    clearInterval(this.rescan);
    this.debounce.close();
    this.watch.close();
    this.listeners.clear();
  }

  private async refresh(): Promise<void> {
    let changed = false;
    for (const folder of this.folders) changed = (await folder.refresh()) || changed;
    if (this.closed) return;
    this.watchAll();
    if (!changed) return;
    this.mesh = meshOf(this.folders, this.options);
    for (const listener of this.listeners) listener(this.mesh);
  }

  private watchAll(): void {
    this.watch.set(this.folders.flatMap((folder) => folder.directories));
  }
}
