import type { ObjectMeta } from "./meta.ts";

/**
 * What a condition asks about: Istio's attributes ("Conditions"), and `request.host`, `.method` and `.path`, which Istio knows
 * as fields of an operation only.
 */
export type PolicyAttribute =
  | "source.principal"
  | "source.namespace"
  /** Values are `namespace/service-account`. */
  | "source.serviceAccount"
  | "source.ip"
  | "remote.ip"
  | "request.auth.principal"
  | "request.auth.audiences"
  | "request.auth.presenter"
  | "request.auth.claims"
  | "request.headers"
  /** Values are in lower case; hosts are compared without regard to it. */
  | "request.host"
  | "request.method"
  | "request.path"
  | "destination.ip"
  /** Of the workload, not of the Service. */
  | "destination.port"
  | "connection.sni";

/**
 * Holds if the attribute matches one of `values` (or `values` is empty) and none of `notValues`. Values are `value`,
 * `value*`, `*value` or `*` (present); paths may be templates, addresses are CIDR blocks.
 */
export interface PolicyCondition {
  readonly attribute: PolicyAttribute;
  /** Of `request.headers`: the header's name in lower case. Of `request.auth.claims`: the names of nested claims. */
  readonly path: readonly string[];
  readonly values: readonly string[];
  readonly notValues: readonly string[];
}

/**
 * Holds if all conditions of one entry of `from`, all conditions of one entry of `to`, and all conditions of `when`
 * hold. An empty list always holds.
 */
export interface PolicyRule {
  readonly from: readonly (readonly PolicyCondition[])[];
  readonly to: readonly (readonly PolicyCondition[])[];
  readonly when: readonly PolicyCondition[];
}

export interface LabelTarget {
  readonly kind: "labels";
  /** Labels that a pod must carry; none: every pod of the policy's namespace (of the mesh, in the root namespace). */
  readonly labels: Readonly<Record<string, string>>;
}

/** The pods behind a Service of the policy's own namespace, however they are called. */
export interface TargetedService {
  readonly kind: "service";
  readonly name: string;
  /** The Service's own selector; empty: its EndpointSlices say which pods it has. */
  readonly labels: Readonly<Record<string, string>>;
}

/** The Pods that a policy selects. */
export type PolicyTarget = LabelTarget | TargetedService;

/**
 * security.istio.io/v1 AuthorizationPolicy. A policy that the reader does not understand fails closed: see
 * `alwaysDeny`.
 */
export interface AuthorizationPolicy {
  readonly meta: ObjectMeta;
  /** AUDIT never decides: calls that match are marked in the access log. */
  readonly action: "ALLOW" | "DENY" | "AUDIT";
  /**
   * Annotation `istio.io/dry-run`: the access log shows the decision that the policy would have made, and nothing else
   * happens.
   */
  readonly dryRun: boolean;
  /** The policy guards a pod if one of them selects it; without targets it guards no pod. */
  readonly targets: readonly PolicyTarget[];
  /** ALLOW without rules allows nothing; DENY without rules denies nothing. */
  readonly rules: readonly PolicyRule[];
  /** Set where the policy asks for something that is not supported: the pods it selects refuse every call. */
  readonly alwaysDeny: boolean;
}
