import type { ObjectMeta } from "./meta.ts";
import { DEFAULT_MESH_OPTIONS, type MeshOptions } from "./mesh-options.ts";

/** The label's value that keeps a Pod of an enrolled Namespace out of the mesh. */
export const OPTED_OUT = "none";

/**
 * Is a Pod with these labels enrolled? The Pod's own label goes before the label of its Namespace. The caller leaves out
 * Pods on the host's network and Pods that have ended.
 */
export function isEnrolled(
  pod: ObjectMeta["labels"],
  namespace: ObjectMeta["labels"],
  { key, value }: MeshOptions["enrollmentLabel"] = DEFAULT_MESH_OPTIONS.enrollmentLabel,
): boolean {
  return pod[key] !== OPTED_OUT && (pod[key] === value || namespace[key] === value);
}
