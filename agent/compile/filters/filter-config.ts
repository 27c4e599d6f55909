import type { AuthorizationPolicy, PolicyRule } from "../../model/authorization-policy.ts";
import type { JwtRule } from "../../model/request-authentication.ts";
import type { VerificationKey } from "../../model/verification-key.ts";

/**
 * The JSON that the built-in filters are configured with. One object for the whole node; the root id tells the module
 * which part of the path it stands in (`FILTERS` in `names.ts`).
 */
export interface FilterConfig {
  /** Prometheus label source_cluster and destination_cluster. */
  readonly cluster: string;
  /** Rules by the id of the set of policies that a workload carries. */
  readonly policySets: readonly FilterPolicySet[];
  /** The same as they are decided for connections whose bytes are not read; in the agent only, places are told one of them. */
  readonly tcpPolicySets: readonly FilterPolicySet[];
  /** How tokens are verified, for the sets that name them. */
  readonly jwtRules: readonly FilterJwtRule[];
  /** Outbound: which set guards the workloads behind an Envoy cluster. A cluster that is not named here is not guarded. */
  readonly clusters: readonly { readonly name: string; readonly policySet: string; readonly port: number }[];
  /** Inbound: which set guards a pod of this node, by pod uid. */
  readonly pods: readonly { readonly uid: string; readonly policySet: string }[];
  /** Guard: whom an address belongs to (enrolled workloads only), for metrics. It says nothing about who calls. Peer strings, see `peer-string.ts`. */
  readonly peers: readonly { readonly address: string; readonly peer: string }[];
  readonly retryBudgets: readonly FilterRetryBudget[];
}

export interface FilterPolicySet {
  readonly id: string;
  readonly policies: readonly FilterPolicy[];
  /** Ids of the rules by which tokens are verified, before the policies. */
  readonly jwtRules: readonly string[];
}

/** As the model has it, with its keys. The id stands for the content: a rule that stays the same keeps what it has verified. */
export interface FilterJwtRule extends Omit<JwtRule, "keys"> {
  readonly id: string;
  readonly keys: readonly VerificationKey[];
}

export interface FilterPolicy {
  /** `namespace/name`, for the reason of a denial. */
  readonly name: string;
  readonly action: AuthorizationPolicy["action"];
  readonly dryRun: boolean;
  readonly alwaysDeny: boolean;
  /** As the model has them. */
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
