import type { Mesh } from "../model/mesh.ts";
import type { MeshOptions } from "../model/mesh-options.ts";
import { namespacedName } from "../model/meta.ts";
import { SYSTEM_CLOCK } from "../lib/clock.ts";
import { AgesFile } from "./last-good/ages-file.ts";
import { HeldVersions } from "./last-good/held-versions.ts";
import { LastGood } from "./last-good/last-good.ts";
import { ManifestFolder } from "./manifest-folder.ts";
import type { RawObject } from "../objects/raw-object.ts";
import { MeshMemory, objectsToMesh } from "../objects/objects-to-mesh.ts";

export interface LoadDeclaredOptions extends Partial<MeshOptions> {
  /** File in which an agent that follows the folders keeps the last good versions of broken objects; ages are beside it. */
  readonly heldVersions?: string | undefined;
}

/** The mesh that folders of manifests declare, with a Pod for each Deployment (or the like) that has no Pod yet. */
export async function loadDeclared(folders: readonly string[], options: LoadDeclaredOptions = {}): Promise<Mesh> {
  const read = folders.map((path, layer) => new ManifestFolder(path, layer));
  for (const folder of read) await folder.open();
  const { heldVersions } = options;
  const held = heldVersions === undefined ? [] : new HeldVersions(heldVersions).load();
  const ages = heldVersions === undefined ? undefined : new AgesFile(heldVersions).load();
  const memory = new MeshMemory();
  const { value: mesh, objects } = new LastGood(held, SYSTEM_CLOCK, ages).choose(
    read.flatMap((folder) => folder.objects),
    new Map(read.flatMap((folder) => [...folder.faults])),
    (chosen) => objectsToMesh(chosen, options, memory),
  );
  const running = new Set(
    mesh.workloads
      .filter(({ terminated }) => !terminated)
      .flatMap(({ meta, workloadName }) =>
        [meta.name, workloadName].map((name) => namespacedName(meta.namespace, name)),
      ),
  );
  const made = templatePods(objects).filter(({ namespace, name }) => !running.has(namespacedName(namespace, name)));
  return made.length === 0 ? mesh : objectsToMesh([...objects, ...made], options, memory);
}

/** The path of the Pod template in each kind that makes Pods. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  "apps/Deployment": ["spec", "template"],
  "apps/StatefulSet": ["spec", "template"],
  "apps/DaemonSet": ["spec", "template"],
  "apps/ReplicaSet": ["spec", "template"],
  "batch/Job": ["spec", "template"],
  "batch/CronJob": ["spec", "jobTemplate", "spec", "template"],
};

/**
 * A Pod for each object that makes Pods, under that object's name: commands can then name callers before anything runs.
 */
function templatePods(objects: readonly RawObject[]): readonly RawObject[] {
  return objects.flatMap((object) => {
    const path = TEMPLATES[`${object.group}/${object.kind}`];
    if (path === undefined) return [];
    const template = path.reduce<unknown>(member, object.value);
    const { name, namespace } = object;
    const metadata = { ...asObject(member(template, "metadata")), name, namespace };
    const value = { apiVersion: "v1", kind: "Pod", metadata, spec: asObject(member(template, "spec")) };
    return [{ ...object, group: "", version: "v1", kind: "Pod", value }];
  });
}

function member(value: unknown, name: string): unknown {
  const object = asObject(value);
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}
