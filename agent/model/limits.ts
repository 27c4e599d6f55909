import type { ObjectMeta } from "./meta.ts";
import type { Problem } from "./problem.ts";

/**
 * How much of a node's shared proxy, kernel and agent the objects of one namespace may use. Normal applications never meet a
 * limit. What exceeds one is left out, the youngest objects first, and named as a problem; docs/security.md says what follows.
 */
export interface Limits {
  /** Instructions of RE2 for one regular expression of an HTTPRoute, as `checkRe2` counts them. */
  readonly regex: number;
  /** Instructions of RE2 for all regular expressions of a namespace's HTTPRoutes. */
  readonly regexes: number;
  /** Matches of a namespace's HTTPRoutes with their parts, once for each address and port of the parents. */
  readonly routes: number;
  /**
   * Bytes of a namespace's HTTPRoutes in JSON: each match with all that its rule says, once for each address and port of the
   * parents.
   */
  readonly routeBytes: number;
  /** Bytes of the specs of a namespace's AuthorizationPolicies, in JSON, and 100 for each object. */
  readonly policies: number;
  /** The same of its RequestAuthentications. */
  readonly tokens: number;
  /** The same of its PeerAuthentications. */
  readonly modes: number;
  /** Bytes of the keys that are fetched for a namespace's RequestAuthentications, once for each rule, in JSON. */
  readonly keys: number;
  /** Addresses with a port at which captured pods find a namespace's Services. */
  readonly destinations: number;
  /** Addresses behind a namespace's Services, once for each port. */
  readonly endpoints: number;
}

export const DEFAULT_LIMITS: Limits = {
  regex: 2_000,
  regexes: 20_000,
  routes: 20_000,
  routeBytes: 10_000_000,
  policies: 1_000_000,
  tokens: 1_000_000,
  modes: 1_000_000,
  keys: 1_000_000,
  destinations: 20_000,
  endpoints: 50_000,
};

/** Envoy refuses larger programs (`re2.max_program_size.error_level`), so that `Limits.regex` cannot be above it. */
export const ENVOY_REGEX_LIMIT = 20_000;

/** The problem of an object of which a part is left out, as it exceeds a limit. */
export function limitReached(
  subject: ObjectMeta,
  found: { readonly field: string; readonly reason: string; readonly remedy: string },
): Problem {
  return { severity: "error", code: "limit-reached", origin: subject.origin, subject, ...found };
}
