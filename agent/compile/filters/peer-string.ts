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
 * The names follow Istio: `app` and `version` are labels, the canonical ones fall back as Istio's do. `member`: does the
 * mesh vouch for who it is?
 */
export function peerString(workload: Workload, trustDomain: string, member = workload.enrolled): string {
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
    principal: member ? principal(trustDomain, workload.meta.namespace, workload.serviceAccount) : "",
  };
  return FIELDS.map((field) => values[field]).join("|");
}

/**
 * One as its own listeners know it: they are in pods that have been captured. So they stay as they are when a pod leaves and
 * comes back, because Envoy cuts the connections of a listener that changes once it has drained them.
 */
export function memberString(workload: Workload, trustDomain: string): string {
  return peerString(workload, trustDomain, true);
}
