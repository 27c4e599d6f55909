import { principal } from "../../model/spiffe-id.ts";
import type { Workload } from "../../model/workload.ts";

/** The order of the fields of a peer string. No field can hold a "|": they are DNS labels, label values, and UIDs. */
const FIELDS = [
  "uid",
  "pod",
  "namespace",
  "workload",
  "app",
  "version",
  "canonicalService",
  "canonicalRevision",
  "principal",
] as const;

export type PeerField = (typeof FIELDS)[number];

/**
 * One workload as one string, so that a filter learns all about a peer by a single host call (1.5 µs each):
 * `uid|pod|namespace|workload|app|version|canonical service|canonical revision|principal`. The names follow Istio:
 * `app` and `version` are labels, and the canonical ones fall back as Istio's do. `enrolled`: the mesh confirms
 * the identity, so the principal is set.
 */
export function peerString(workload: Workload, trustDomain: string, enrolled = workload.enrolled): string {
  const { labels } = workload.meta;
  const app = labels["app"] ?? labels["app.kubernetes.io/name"] ?? "";
  const version = labels["version"] ?? labels["app.kubernetes.io/version"] ?? "";
  const values: Record<PeerField, string> = {
    uid: workload.uid,
    pod: workload.meta.name,
    namespace: workload.meta.namespace,
    workload: workload.workloadName,
    app,
    version,
    canonicalService:
      labels["service.istio.io/canonical-name"] ??
      labels["app.kubernetes.io/name"] ??
      labels["app"] ??
      workload.workloadName,
    canonicalRevision: labels["service.istio.io/canonical-revision"] ?? (version === "" ? "latest" : version),
    principal: enrolled ? principal(trustDomain, workload.meta.namespace, workload.serviceAccount) : "",
  };
  return FIELDS.map((field) => values[field]).join("|");
}

/** What policies need of a pod of the mesh: its namespace and its principal. */
export function briefPeerString({ meta: { namespace }, serviceAccount }: Workload, trustDomain: string): string {
  return `||${namespace}||||||${principal(trustDomain, namespace, serviceAccount)}`;
}

/**
 * The peer string of a pod in its own listeners, always with a principal. Only a pod that is or was enrolled has listeners.
 * The string stays the same when the pod leaves and comes back: Envoy drains and cuts the connections of a listener that
 * changes.
 */
export function ownPeerString(workload: Workload, trustDomain: string): string {
  return peerString(workload, trustDomain, true);
}
