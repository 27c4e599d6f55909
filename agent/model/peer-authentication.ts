import type { ObjectMeta } from "./meta.ts";

/** Who may reach a pod's port: only the mesh by mTLS; the mesh by mTLS and others in plaintext; everybody in plaintext. */
export type MtlsMode = "STRICT" | "PERMISSIVE" | "DISABLE";

/** security.istio.io/v1 PeerAuthentication. */
export interface PeerAuthentication {
  readonly meta: ObjectMeta;
  /** Labels that a pod must carry; undefined: every pod of the namespace (of the mesh, in the root namespace). */
  readonly selector: Readonly<Record<string, string>> | undefined;
  /** undefined (UNSET): the mode of the wider scope applies. */
  readonly mode: MtlsMode | undefined;
  /** By port of the workload; counts only together with a selector, as in Istio. */
  readonly ports: ReadonlyMap<number, MtlsMode>;
}
