import type { ObjectMeta } from "./meta.ts";

/** GEP-3388, `retryConstraint`. */
export interface RetryBudget {
  /** How many of the requests of one interval may be retries, 0–100. Default 20. */
  readonly percent: number;
  /** Milliseconds. Default 10000. */
  readonly intervalMs: number;
  /** Retries that are always allowed: `count` in each `intervalMs`. Default 10 in 1000. */
  readonly minRetryRate: { readonly count: number; readonly intervalMs: number };
}

/** gateway.networking.x-k8s.io/v1alpha1 XBackendTrafficPolicy with its Service targets. */
export interface BackendTrafficPolicy {
  readonly meta: ObjectMeta;
  /** Names of Services, in the policy's namespace. */
  readonly services: readonly string[];
  readonly retryBudget: RetryBudget | undefined;
}
