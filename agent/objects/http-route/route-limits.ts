import type { HttpRoute, NamedMatch, RouteMatch } from "../../model/http-route.ts";
import { namespacedName } from "../../model/meta.ts";
import type { Service } from "../../model/service.ts";
import type { Remark } from "../notes.ts";
import { Tally } from "../tally.ts";
import type { RouteContext } from "./backends.ts";
import { checkRe2 } from "./re2-syntax.ts";

/**
 * What a namespace's HTTPRoutes may use of the route table, which all pods of a node share. Routes have to come in the order of
 * their precedence: the first ones stay.
 */
export class RouteLimits {
  readonly #services: ReadonlyMap<string, Service>;
  readonly #routes: Tally;
  readonly #bytes: Tally;
  readonly #regexes: Tally;

  constructor({ services, limits }: RouteContext) {
    this.#services = new Map(services.map((service) => [nameOf(service), service]));
    this.#routes = new Tally("routes", "parts of matches, over all addresses and ports of its parents", limits);
    this.#bytes = new Tally("routeBytes", "bytes, over all matches and all addresses and ports of its parents", limits);
    this.#regexes = new Tally("regexes", "instructions of RE2", limits);
  }

  /** Why a route is above a limit; undefined where it is not, and counts. */
  add(route: HttpRoute): Remark | undefined {
    const { namespace } = route.meta;
    const places = this.#places(route);
    return (
      this.#routes.add(namespace, places * parts(route)) ??
      this.#bytes.add(namespace, places * bytes(route)) ??
      this.#regexes.add(namespace, instructions(route))
    );
  }

  /** Envoy has a virtual host for each address and port of a parent, and each has all matches. */
  #places({ parents }: HttpRoute): number {
    return sum(parents, (parent) => {
      const service = this.#services.get(namespacedName(parent.namespace, parent.service));
      const ports = parent.port === undefined ? (service?.ports.length ?? 1) : 1;
      return ports * Math.max(1, (service?.clusterIPs.length ?? 0) + (service?.externalAddresses.length ?? 0));
    });
  }
}

function parts({ rules }: HttpRoute): number {
  return sum(rules, ({ matches, backends }) =>
    sum(matches, ({ headers, query }) => 1 + headers.length + query.length + backends.length),
  );
}

/** Envoy has a route for each match, and each has all that its rule says: names, headers, backends. */
function bytes({ rules }: HttpRoute): number {
  return sum(rules, ({ matches, ...rule }) => sizeInJson(matches) + matches.length * sizeInJson(rule));
}

function sizeInJson(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

function instructions({ rules }: HttpRoute): number {
  return sum(rules, ({ matches }) => sum(matches, (match) => sum(patternsOf(match), sizeOf)));
}

function patternsOf({ path, headers, query }: RouteMatch): readonly string[] {
  const named = (list: readonly NamedMatch[]) => list.map(({ match }) => match);
  return [path, ...named(headers), ...named(query)].flatMap(({ kind, value }) => (kind === "regex" ? [value] : []));
}

function sizeOf(pattern: string): number {
  const checked = checkRe2(pattern);
  return typeof checked === "string" ? 0 : checked.programSize;
}

function nameOf({ meta }: Service): string {
  return namespacedName(meta.namespace, meta.name);
}

function sum<T>(list: readonly T[], amount: (each: T) => number): number {
  return list.reduce((total, each) => total + amount(each), 0);
}
