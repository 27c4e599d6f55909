import type { RouteRetry, RouteRule } from "../../model/http-route.ts";
import { parseDuration } from "../duration.ts";
import type { Reader } from "../reader.ts";

/** For routes that ask for retries without a number: Istio's default. */
const DEFAULT_ATTEMPTS = 2;

function readDuration(field: Reader): number | undefined {
  return field.parsed(parseDuration, "a duration (GEP-2257)", "Write it as 500ms, 10s or 1m30s.");
}

/** HTTPRouteTimeouts. Zero means no limit. */
export function readTimeouts(timeouts: Reader): Pick<RouteRule, "requestTimeoutMs" | "backendTimeoutMs"> {
  timeouts.fields(["request", "backendRequest"]);
  const requestTimeoutMs = readDuration(timeouts.field("request"));
  const backend = timeouts.field("backendRequest");
  const backendTimeoutMs = readDuration(backend);
  if ((requestTimeoutMs ?? 0) > 0 && (backendTimeoutMs ?? 0) > (requestTimeoutMs ?? 0)) {
    const reason = "backendRequest is longer than request, but all tries have to end within request";
    backend.invalid("invalid-value", reason, "Make backendRequest at most as long as request.");
  }
  return { requestTimeoutMs, backendTimeoutMs };
}

/** HTTPRouteRetry (GEP-1731). */
export function readRetry(retry: Reader): RouteRetry | undefined {
  if (!retry.present) return undefined;
  retry.fields(["codes", "attempts", "backoff"]);
  return {
    attempts: retry.field("attempts").integer(0, 1_000) ?? DEFAULT_ATTEMPTS,
    codes: [...new Set(retry.field("codes").list((code) => code.integer(400, 599)))].sort((a, b) => a - b),
    backoffMs: readDuration(retry.field("backoff")),
  };
}
