import type { ObjectMeta } from "./meta.ts";

/** `value`, `value*`, `*value` or `*` (present), as Istio's AuthorizationPolicy spells them. */
export type PolicyString = string;

/** CIDR blocks in text form; a bare address is a block of its own. */
export type IpBlock = string;

/** All given lists must hold; within a list, one. An empty list says nothing. */
export interface PolicySource {
  readonly principals: readonly PolicyString[];
  readonly notPrincipals: readonly PolicyString[];
  readonly namespaces: readonly PolicyString[];
  readonly notNamespaces: readonly PolicyString[];
  readonly ipBlocks: readonly IpBlock[];
  readonly notIpBlocks: readonly IpBlock[];
}

export interface PolicyOperation {
  readonly hosts: readonly PolicyString[];
  readonly notHosts: readonly PolicyString[];
  readonly methods: readonly PolicyString[];
  readonly notMethods: readonly PolicyString[];
  readonly paths: readonly PolicyString[];
  readonly notPaths: readonly PolicyString[];
  /** Ports of the workload, not of the Service. */
  readonly ports: readonly string[];
  readonly notPorts: readonly string[];
}

/** Holds if one of `from` (or none is given) and one of `to` (or none is given) hold. */
export interface PolicyRule {
  readonly from: readonly PolicySource[];
  readonly to: readonly PolicyOperation[];
}

/** security.istio.io/v1 AuthorizationPolicy. What could not be understood fails closed: see `alwaysDeny`. */
export interface AuthorizationPolicy {
  readonly meta: ObjectMeta;
  readonly action: "ALLOW" | "DENY";
  /** Labels that a pod must carry; empty: every pod of the namespace (of the mesh, in the root namespace). */
  readonly selector: Readonly<Record<string, string>>;
  /** ALLOW without rules allows nothing; DENY without rules denies nothing. */
  readonly rules: readonly PolicyRule[];
  /** Set where the policy asks for something that is not supported: the pods it selects refuse every call. */
  readonly alwaysDeny: boolean;
}
