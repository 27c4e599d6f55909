import { principal } from "../../model/spiffe-id.ts";
import type { Workload } from "../../model/workload.ts";

/** The order of the fields of a peer string. None of them can hold a "|": they are DNS labels, label values, and UIDs. */
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
 * `uid|pod|namespace|workload|app|version|canonical service|canonical revision|principal`.
 * The names follow Istio: `app` and `version` are labels, the canonical ones fall back as Istio's do.
 */
export function peerString(workload: Workload, trustDomain: string): string {
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
    // Only the mesh vouches for who somebody is.
    principal: workload.enrolled ? principal(trustDomain, workload.meta.namespace, workload.serviceAccount) : "",
  };
  return FIELDS.map((field) => values[field]).join("|");
}
