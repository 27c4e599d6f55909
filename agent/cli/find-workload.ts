import { AmbitError } from "../lib/errors.ts";
import type { Mesh } from "../model/mesh.ts";
import type { Workload } from "../model/workload.ts";

/** Kinds that make Pods, in lower case, as a user may write them before a name. */
const MAKERS = ["deployment", "statefulset", "daemonset", "replicaset", "job", "cronjob"];

/**
 * The Pod that `NAMESPACE/NAME` means: the Pod of that name, or a Pod that a Deployment (or another maker) of that name
 * makes. `KIND/NAMESPACE/NAME` chooses between them. Throws AmbitError `unknown-workload`.
 */
export function findWorkload(mesh: Mesh, text: string): Workload {
  const parts = text.split("/");
  const kind = parts.length === 3 ? parts[0]?.toLowerCase() : undefined;
  const [namespace, name] = parts.slice(-2);
  const isUnderstood = parts.length === 2 || (parts.length === 3 && (kind === "pod" || MAKERS.includes(kind ?? "")));
  if (!isUnderstood) throw unknown(`'${text}' does not name a pod`, "give NAMESPACE/NAME, or KIND/NAMESPACE/NAME");
  const own = mesh.workloads.filter((workload) => workload.meta.namespace === namespace && !workload.terminated);
  const found =
    (kind === undefined || kind === "pod" ? own.find(({ meta }) => meta.name === name) : undefined) ??
    (kind === "pod" ? undefined : own.find((workload) => workload.workloadName === name));
  if (found !== undefined) return found;
  const names = [...new Set(own.map(({ workloadName }) => workloadName))].toSorted();
  const remedy = names.length === 0 ? `no manifest has a pod in '${namespace}'` : `known there: ${names.join(", ")}`;
  throw unknown(`there is no pod '${text}' in the manifests`, remedy);
}

function unknown(what: string, remedy: string): AmbitError {
  return new AmbitError({ code: "unknown-workload", kind: "user", what, remedy });
}
