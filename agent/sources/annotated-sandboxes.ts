import type { Mesh } from "../model/mesh.ts";
import { namespacedName, type NamespacedName } from "../model/meta.ts";
import type { Problem } from "../model/problem.ts";
import type { SandboxLookup } from "../model/sandbox.ts";
import type { Workload } from "../model/workload.ts";
import { Notes, type Remark } from "../objects/notes.ts";
import type { RawObject } from "../objects/raw-object.ts";
import { quote } from "../objects/reader.ts";

/** Names the network namespace of a Pod on a host without a container runtime. */
export const NETNS_ANNOTATION = "ambit.dev/netns";

const FIELD = ["metadata", "annotations", NETNS_ANNOTATION];

const NOT_GUARDED: Remark = {
  code: "netns-not-trusted",
  reason: "users other than root can change this file: Ambit ignores the network namespace that the Pod names",
  remedy:
    "Let root own the file and its folder (chown root), let only root write them (chmod go-w), and use no symbolic link.",
};

const WITHOUT_ADDRESS: Remark = {
  code: "pod-without-address",
  reason: "the Pod names a network namespace but no address: its traffic is not captured",
  remedy: "Add its addresses as status.podIPs.",
};

/**
 * Finds the Pods' network namespaces by their annotation. The agent enters these namespaces as root, so that the annotation
 * counts only in files that only root can change: otherwise the author of a Pod could name the namespace of another one.
 */
export function annotatedSandboxes(
  mesh: Mesh,
  objects: readonly RawObject[],
): { readonly sandboxes: SandboxLookup; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const paths = new Map<string, string>();
  const annotated = mesh.workloads.filter(({ meta }) => meta.annotations[NETNS_ANNOTATION] !== undefined);
  const pods = annotated.length === 0 ? new Map<NamespacedName, RawObject>() : podsOf(objects);
  for (const workload of annotated) {
    const object = pods.get(namespacedName(workload.meta.namespace, workload.meta.name));
    const path = object === undefined ? undefined : readPath(workload, object, problems);
    if (path !== undefined) paths.set(workload.uid, path);
  }
  return { sandboxes: { netnsOf: (uid) => paths.get(uid) }, problems };
}

function podsOf(objects: readonly RawObject[]): ReadonlyMap<NamespacedName, RawObject> {
  const pods = objects.filter(({ group, kind }) => group === "" && kind === "Pod");
  return new Map(pods.map((pod) => [namespacedName(pod.namespace, pod.name), pod]));
}

function readPath(workload: Workload, object: RawObject, problems: Problem[]): string | undefined {
  const { meta, addresses, terminated, hostNetwork } = workload;
  const path = meta.annotations[NETNS_ANNOTATION] ?? "";
  const notes = new Notes(object, problems);
  if (!/^\/[^\p{Cc}|]+$/u.test(path)) {
    notes.add("error", FIELD, {
      code: "invalid-value",
      reason: `${quote(path)} is not an absolute path`,
      remedy: "Write the path of a network namespace, for example /run/netns/app.",
    });
    return undefined;
  }
  if (object.origin.guarded !== true) {
    notes.add("warning", FIELD, NOT_GUARDED);
    return undefined;
  }
  if (addresses.length === 0 && !terminated && !hostNetwork) notes.add("warning", FIELD, WITHOUT_ADDRESS);
  return path;
}
