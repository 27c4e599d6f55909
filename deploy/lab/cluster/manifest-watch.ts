import type { Problem } from "../../../agent/model/problem.ts";
import { MeshMemory, objectsToMesh } from "../../../agent/objects/objects-to-mesh.ts";
import type { RawObject } from "../../../agent/objects/raw-object.ts";
import { FollowedFolders } from "../../../agent/sources/follow-folders.ts";
import { LastGood } from "../../../agent/sources/last-good/last-good.ts";
import { ManifestFolder } from "../../../agent/sources/manifest-folder.ts";
import { readDesired } from "./desired.ts";

/** Follows the user's folder of manifests. A broken object keeps its last good version, here as in the agents. */
export class ManifestWatch {
  readonly #folder: ManifestFolder;
  readonly #followed: FollowedFolders;
  readonly #lastGood = new LastGood();
  readonly #memory = new MeshMemory();
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

  /** One object for each key. */
  get objects(): readonly RawObject[] {
    return this.#objects;
  }

  /** Problems of files, and of objects that cannot be read. */
  get problems(): readonly Problem[] {
    return this.#problems;
  }

  /** Calls `listener` after each change from now on. */
  onChange(listener: (objects: readonly RawObject[]) => void): void {
    this.#listener = listener;
    // To catch changes from before there was a listener.
    this.#followed.look();
  }

  close(): void {
    this.#followed.close();
  }

  #merge(): void {
    // The agents report their own problems, but the lab and the agents have to agree on the version that counts.
    const judge = (objects: readonly RawObject[]): { readonly problems: readonly Problem[] } => ({
      problems: [...readDesired(objects).problems, ...objectsToMesh(objects, {}, this.#memory).problems],
    });
    const { objects, faults } = this.#folder;
    const chosen = this.#lastGood.choose(objects, faults, judge);
    this.#objects = chosen.objects;
    this.#problems = [...this.#folder.problems, ...chosen.problems];
  }
}
