import type { HttpRoute, RouteRule } from "../../model/http-route.ts";
import type { Limits } from "../../model/limits.ts";
import { compareAge, type ObjectMeta } from "../../model/meta.ts";
import type { Problem } from "../../model/problem.ts";
import { readBackends, type RouteContext } from "./backends.ts";
import { RouteConflicts } from "./conflicts.ts";
import { readFilters } from "./filters.ts";
import { readMatches } from "./match.ts";
import { readParents } from "./parents.ts";
import { readRetry, readTimeouts } from "./timeouts-and-retries.ts";
import { RouteLimits } from "./route-limits.ts";
import { Notes } from "../notes.ts";
import { readMeta } from "../object-meta.ts";
import type { RawObject } from "../raw-object.ts";
import { Reader } from "../reader.ts";

const SPEC_FIELDS = ["parentRefs", "hostnames", "rules", "useDefaultGateways"];
const RULE_FIELDS = ["name", "matches", "filters", "backendRefs", "timeouts", "retry", "sessionPersistence"];

/**
 * gateway.networking.k8s.io HTTPRoutes with at least one Service as parent and one valid rule.
 *
 * A rule with an error is dropped and the others are served (Gateway API: PartiallyInvalid, "Dropped Rule"); a filter
 * that is not supported, or a backend that is not there, keeps the rule and answers 500.
 */
export function readHttpRoutes(
  objects: readonly RawObject[],
  context: RouteContext,
  problems: Problem[],
): readonly HttpRoute[] {
  const conflicts = new RouteConflicts();
  const limits = new RouteLimits(context);
  const named = objects.flatMap((object) => {
    const root = new Reader(object.value, new Notes(object, problems));
    const meta = readMeta(root, object);
    return meta === undefined ? [] : [{ object, root, meta }];
  });
  // Gateway API: of routes that conflict the oldest counts, then the first in alphabetical order.
  named.sort((a, b) => compareAge(a.meta, b.meta));
  return named.flatMap(({ object, root, meta }) => {
    const route = readRoute(root, meta, context);
    if (route === undefined) return [];
    const over = limits.add(route.route);
    if (over !== undefined) {
      root.field("spec").field("rules").error(over);
      return [];
    }
    conflicts.add(route.route, object, route.matchReaders);
    return [route.route];
  });
}

interface ReadRoute {
  readonly route: HttpRoute;
  /** For each rule the field at which a conflict is reported. */
  readonly matchReaders: readonly Reader[];
}

function readRoute(root: Reader, meta: ObjectMeta, context: RouteContext): ReadRoute | undefined {
  const spec = root.field("spec").required().fields(SPEC_FIELDS);
  const parents = readParents(spec.field("parentRefs"), meta.namespace, context.services);
  if (spec.field("hostnames").present && parents.length > 0) {
    spec.field("hostnames").warning({
      code: "ignored-field",
      reason: "hostnames have no effect on a route whose parent is a Service (GEP-1426)",
      remedy: "Remove the field; to match by host, match the Host header.",
    });
  }
  const rules: RouteRule[] = [];
  const matchReaders: Reader[] = [];
  for (const entry of spec.field("rules").items()) {
    const rule = entry.notes.unlessErrors(() => readRule(entry.fields(RULE_FIELDS), context.limits));
    if (rule === undefined) continue;
    rules.push({ ...rule, ...readForwarding(entry, meta.namespace, context) });
    matchReaders.push(entry.field("matches").present ? entry.field("matches") : entry);
  }
  if (!spec.field("rules").present) spec.field("rules").required();
  if (parents.length === 0 || rules.length === 0) return undefined;
  return { route: { meta, parents, rules }, matchReaders };
}

type Forwarding = Pick<RouteRule, "filters" | "backends">;

/** Reads which requests a rule takes and how long they may last. An error here drops the rule. */
function readRule(rule: Reader, limits: Limits): Omit<RouteRule, keyof Forwarding> {
  const persistence = rule.field("sessionPersistence");
  if (persistence.present) {
    persistence.warning({
      code: "unsupported-field",
      reason: "session persistence is not supported; requests are balanced as without it",
      remedy: "Remove the field.",
    });
  }
  return {
    name: rule.field("name").string() ?? "",
    matches: readMatches(rule.field("matches"), limits),
    ...readTimeouts(rule.field("timeouts")),
    retry: readRetry(rule.field("retry")),
  };
}

/**
 * Reads where a rule sends requests and how it changes them. After an error here they are answered with 500 (Gateway
 * API, HTTPRouteRule.filters).
 */
function readForwarding(rule: Reader, namespace: string, context: RouteContext): Forwarding {
  const { filters, inOrder } = readFilters(rule.field("filters"));
  const backends = readBackends(rule, namespace, context);
  return {
    filters,
    backends: inOrder ? backends : backends.map((backend) => ({ ...backend, invalid: true })),
  };
}
