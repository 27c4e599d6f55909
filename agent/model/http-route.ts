import type { ObjectMeta } from "./meta.ts";

export type StringMatch =
  | { readonly kind: "exact"; readonly value: string }
  | { readonly kind: "prefix"; readonly value: string }
  | { readonly kind: "regex"; readonly value: string };

export interface NamedMatch {
  readonly name: string;
  readonly match: StringMatch;
}

/** One entry of `matches`: all of its parts must hold. */
export interface RouteMatch {
  /** `prefix` is by path element, as Gateway API's PathPrefix: `/a` matches `/a` and `/a/b`, not `/ab`. */
  readonly path: StringMatch;
  readonly method: string | undefined;
  readonly headers: readonly NamedMatch[];
  readonly query: readonly NamedMatch[];
}

export interface HeaderValue {
  readonly name: string;
  readonly value: string;
}

/** RequestHeaderModifier and ResponseHeaderModifier. */
export interface HeaderModifier {
  readonly set: readonly HeaderValue[];
  readonly add: readonly HeaderValue[];
  readonly remove: readonly string[];
}

/** The filters of a rule or of a backend: at most one of each type. */
export interface RouteFilters {
  readonly requestHeaders: HeaderModifier | undefined;
  readonly responseHeaders: HeaderModifier | undefined;
}

export interface BackendRef {
  readonly namespace: string;
  readonly service: string;
  readonly port: number;
  readonly weight: number;
  /** The Service does not exist, or no ReferenceGrant allows it: Gateway API wants its requests answered with 500. */
  readonly invalid: boolean;
  readonly filters: RouteFilters;
}

/** GEP-1731: HTTPRouteRetry. */
export interface RouteRetry {
  /** Number of tries after the first. */
  readonly attempts: number;
  /** Status codes that lead to another try. */
  readonly codes: readonly number[];
  /** Milliseconds between tries, at least. */
  readonly backoffMs: number | undefined;
}

export interface RouteRule {
  readonly name: string;
  readonly matches: readonly RouteMatch[];
  readonly filters: RouteFilters;
  readonly backends: readonly BackendRef[];
  /** Milliseconds for the whole request with all its tries; 0: no limit; undefined: not said. */
  readonly requestTimeoutMs: number | undefined;
  /** Milliseconds for one try. */
  readonly backendTimeoutMs: number | undefined;
  readonly retry: RouteRetry | undefined;
}

export interface ServiceParent {
  readonly namespace: string;
  readonly service: string;
  /** Only this port of the Service; undefined: all of them. */
  readonly port: number | undefined;
}

/** An HTTPRoute attached to Services (GAMMA), in its producer's namespace. */
export interface HttpRoute {
  readonly meta: ObjectMeta;
  readonly parents: readonly ServiceParent[];
  readonly rules: readonly RouteRule[];
}
