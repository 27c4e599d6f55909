import type { Problem } from "../model/problem.ts";
import { Debounce } from "../sources/debounce.ts";
import { FolderWatch } from "../sources/folder-watch.ts";
import { ManifestFolder } from "../sources/manifest-folder.ts";
import { mergeObjects } from "../sources/merge-objects.ts";
import type { RawObject } from "../sources/raw-object.ts";

const WAIT_MS = 30;
const MAX_WAIT_MS = 250;
const RESCAN_MS = 2_000;

/** The user's folder of manifests, followed live. What becomes unreadable keeps its last objects. */
export class ManifestWatch {
  readonly #folder: ManifestFolder;
  readonly #watch: FolderWatch;
  readonly #debounce: Debounce;
  readonly #rescan: NodeJS.Timeout;
  #listener: (objects: readonly RawObject[]) => void = () => undefined;
  #objects: readonly RawObject[] = [];
  #problems: readonly Problem[] = [];

  private constructor(folder: ManifestFolder) {
    this.#folder = folder;
    this.#debounce = new Debounce(() => this.#refresh(), WAIT_MS, MAX_WAIT_MS);
    this.#watch = new FolderWatch(() => this.#debounce.call());
    this.#rescan = setInterval(() => this.#debounce.call(), RESCAN_MS);
    this.#merge();
  }

  /** Throws AmbitError `manifests-not-found`. */
  static async open(path: string): Promise<ManifestWatch> {
    const folder = new ManifestFolder(path, 0);
    await folder.open();
    return new ManifestWatch(folder);
  }

  /** One for each key. */
  get objects(): readonly RawObject[] {
    return this.#objects;
  }

  /** Files and objects that cannot be read. */
  get problems(): readonly Problem[] {
    return this.#problems;
  }

  /** Calls `listener` after each change from now on. */
  onChange(listener: (objects: readonly RawObject[]) => void): void {
    this.#listener = listener;
    // What has changed before there was a listener.
    this.#debounce.call();
  }

  close(): void {
    clearInterval(this.#rescan);
    this.#debounce.close();
    this.#watch.close();
  }

  async #refresh(): Promise<void> {
    const changed = await this.#folder.refresh();
    this.#watch.set(this.#folder.directories);
    if (!changed) return;
    this.#merge();
    this.#listener(this.#objects);
  }

  #merge(): void {
    const problems: Problem[] = [...this.#folder.problems];
    this.#objects = mergeObjects(this.#folder.objects, problems);
    this.#problems = problems;
    this.#watch.set(this.#folder.directories);
  }
}
