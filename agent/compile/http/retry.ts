import { RetryPolicySchema } from "../../xds/gen/envoy/config/route/v3/route_components_pb.ts";
import { any, create, milliseconds } from "../../xds/proto.ts";
import { PreviousHostsPredicateSchema } from "../../xds/gen/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.ts";
import type { RouteRetry } from "../../model/http-route.ts";

/** A century. Envoy refuses a whole route table for one duration above 292 years. */
const LONGEST_BACKOFF_MS = 100 * 365 * 24 * 3_600_000;

/**
 * The conditions on which Envoy's router retries. The retry filter decides how often: `num_retries` is 0 here, and for
 * each request the filter sets `x-envoy-max-retries` to what the budget allows.
 */
export function retryPolicy(retry: RouteRetry | undefined, perTryTimeoutMs: number | undefined) {
  if (retry === undefined) return undefined;
  return create(RetryPolicySchema, {
    // GEP-1731: connection errors are retried whatever the status codes are.
    retryOn: [
      "connect-failure",
      "refused-stream",
      "reset",
      ...(retry.codes.length === 0 ? [] : ["retriable-status-codes"]),
    ].join(","),
    retriableStatusCodes: [...retry.codes],
    numRetries: 0,
    ...(perTryTimeoutMs === undefined ? {} : { perTryTimeout: milliseconds(perTryTimeoutMs) }),
    ...(retry.backoffMs === undefined || retry.backoffMs === 0
      ? {}
      : {
          retryBackOff: {
            baseInterval: milliseconds(retry.backoffMs),
            maxInterval: milliseconds(Math.max(retry.backoffMs, Math.min(retry.backoffMs * 10, LONGEST_BACKOFF_MS))),
          },
        }),
    // The next try goes to another host than the failed one, if there is one.
    retryHostPredicate: [
      {
        name: "envoy.retry_host_predicates.previous_hosts",
        configType: { case: "typedConfig", value: any(PreviousHostsPredicateSchema) },
      },
    ],
    hostSelectionRetryMaxAttempts: 5n,
  });
}

/** Route metadata for the retry filter, which finds the budget by it: `namespace/service|attempts`. */
export function retryMetadata(service: string, retry: RouteRetry): string {
  return `${service}|${retry.attempts}`;
}
