import type { Problem } from "../model/problem.ts";
import { FollowedFolders } from "../sources/follow-folders.ts";
import { ManifestFolder } from "../sources/manifest-folder.ts";
import { mergeObjects } from "../sources/merge-objects.ts";
import type { RawObject } from "../sources/raw-object.ts";

/** The user's folder of manifests, followed live. What becomes unreadable keeps its last objects. */
export class ManifestWatch {
  readonly #folder: ManifestFolder;
  readonly #followed: FollowedFolders;
  #listener: (objects: readonly RawObject[]) => void = () => undefined;
  #objects: readonly RawObject[] = [];
  #problems: readonly Problem[] = [];

  private constructor(folder: ManifestFolder) {
    this.#folder = folder;
    this.#merge();
    this.#followed = new FollowedFolders([folder], () => {
      this.#merge();
      this.#listener(this.#objects);
    });
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
    this.#followed.look();
  }

  close(): void {
    this.#followed.close();
  }

  #merge(): void {
    const problems: Problem[] = [...this.#folder.problems];
    this.#objects = mergeObjects(this.#folder.objects, problems);
    this.#problems = problems;
  }
}
