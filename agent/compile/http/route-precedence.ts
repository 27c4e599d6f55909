import { compareText } from "../../lib/compare.ts";
import type { HttpRoute, RouteMatch, RouteRule } from "../../model/http-route.ts";

/** One match of one rule of one route, in the order in which Envoy tries them. */
export interface RankedMatch {
  readonly route: HttpRoute;
  readonly rule: RouteRule;
  readonly match: RouteMatch;
}

/**
 * Gateway API's order (HTTPRouteMatch): exact path, then the longest prefix, then a method, then the most headers, then
 * the most query parameters; then the older route, then by namespace and name, then the first in the route. Regular
 * expressions, whose place is the implementation's, come after exact paths: they are more particular than a prefix.
 */
export function rankMatches(routes: readonly HttpRoute[]): readonly RankedMatch[] {
  const all = routes
    .toSorted((a, b) => compareText(age(a), age(b)) || compareText(name(a), name(b)))
    .flatMap((route) => route.rules.flatMap((rule) => rule.matches.map((match) => ({ route, rule, match }))));
  // Sorting is stable: what is equal stays in the order of age, name and place.
  return all.toSorted((a, b) => {
    const [left, right] = [rank(a.match), rank(b.match)];
    for (const [index, value] of left.entries()) {
      const other = right[index] ?? 0;
      if (value !== other) return other - value;
    }
    return 0;
  });
}

function rank({ path, method, headers, query }: RouteMatch): readonly number[] {
  const kind = path.kind === "exact" ? 2 : path.kind === "regex" ? 1 : 0;
  return [kind, path.value.length, method === undefined ? 0 : 1, headers.length, query.length];
}

function age(route: HttpRoute): string {
  // A route of unknown age, "", is older than any other: it was there when the agent began to look.
  return route.meta.creationTimestamp;
}

function name(route: HttpRoute): string {
  return `${route.meta.namespace}/${route.meta.name}`;
}
