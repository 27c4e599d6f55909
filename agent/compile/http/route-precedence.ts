import type { HttpRoute, RouteMatch, RouteRule } from "../../model/http-route.ts";
import { compareAge } from "../../model/meta.ts";

/** One match of one rule of one route, in the order in which Envoy tries them. */
export interface RankedMatch {
  readonly route: HttpRoute;
  readonly rule: RouteRule;
  readonly match: RouteMatch;
}

/**
 * Gateway API's order (HTTPRouteMatch): exact path, then the longest prefix, then a method, then the most headers, then
 * the most query parameters; then the older route, then by namespace and name, then the first in the route. Gateway API
 * leaves the place of regular expressions open: here they come after exact paths, as they are more specific than a
 * prefix.
 */
export function rankMatches(routes: readonly HttpRoute[]): readonly RankedMatch[] {
  const all = routes
    .toSorted((a, b) => compareAge(a.meta, b.meta))
    .flatMap((route) => route.rules.flatMap((rule) => rule.matches.map((match) => ({ route, rule, match }))));
  // Sorting is stable: equal matches keep the order of age, name and place.
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
