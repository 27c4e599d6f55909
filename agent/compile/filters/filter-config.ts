import type { AuthorizationPolicy, PolicyRule } from "../../model/authorization-policy.ts";
import type { JwtRule } from "../../model/request-authentication.ts";
import type { SeriesLimits } from "../../model/series-limits.ts";
import type { VerificationKey } from "../../model/verification-key.ts";

/**
 * The JSON configuration of the built-in filters: one object for the whole node. The root id tells the module at which
 * place of the path it runs (`FILTERS` in `view/names.ts`). The filters refuse a configuration with a field that is missing
 * or that they do not know (filters/read-config.ts).
 */
export interface FilterConfig {
  /** Value of the Prometheus labels source_cluster and destination_cluster. */
  readonly cluster: string;
  /** A caller without a certificate that uses HTTP sends its first byte within this time. */
  readonly firstByteMs: number;
  readonly series: SeriesLimits;
  /** Policies by the id of their set. Each workload has at most one set. */
  readonly policySets: readonly FilterPolicySet[];
  /**
   * The same sets for connections whose bytes are not read. Only the agent has both lists; each place gets one of them.
   */
  readonly tcpPolicySets: readonly FilterPolicySet[];
  /** Rules for tokens, which the sets name. */
  readonly jwtRules: readonly FilterJwtRule[];
  /**
   * Outbound: the set that guards the workloads behind an Envoy cluster. Clusters that are missing have no policies.
   */
  readonly clusters: readonly { readonly name: string; readonly policySet: string; readonly port: number }[];
  /** Inbound: the set that guards a pod of this node, by the pod's UID. */
  readonly pods: readonly { readonly uid: string; readonly policySet: string }[];
  /** Inbound: UIDs of the other pods of this node. A pod that neither list names gets no calls. */
  readonly unguarded: readonly string[];
  /**
   * Guard: the enrolled workload with an address, for metrics and for DENY policies alone: an address does not prove an identity.
   * `peer`: see `peer-string.ts`.
   */
  readonly peers: readonly { readonly address: string; readonly peer: string }[];
  readonly retryBudgets: readonly FilterRetryBudget[];
}

export interface FilterPolicySet {
  readonly id: string;
  readonly policies: readonly FilterPolicy[];
  /** Ids of the rules by which tokens are verified before the policies. */
  readonly jwtRules: readonly string[];
}

/**
 * A rule of the model, with its keys. Its id is a hash of its content: an unchanged rule keeps the tokens that it has
 * verified.
 */
export interface FilterJwtRule extends Omit<JwtRule, "keys"> {
  readonly id: string;
  readonly keys: readonly VerificationKey[];
}

export interface FilterPolicy {
  /** `namespace/name`: part of the reason of a denial. */
  readonly name: string;
  readonly action: AuthorizationPolicy["action"];
  readonly dryRun: boolean;
  readonly alwaysDeny: boolean;
  /** The rules of the model. */
  readonly rules: readonly PolicyRule[];
}

export interface FilterRetryBudget {
  /** `namespace/service`. */
  readonly service: string;
  readonly percent: number;
  readonly intervalMs: number;
  readonly minCount: number;
  readonly minIntervalMs: number;
}
