import { isMessage, StringValueSchema } from "../../agent/xds/proto.ts";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import type {
  ListenerFilter,
  ListenerFilterChainMatchPredicate as ListenerPredicate,
} from "../../agent/xds/gen/envoy/config/listener/v3/listener_components_pb.ts";
import type { Listener } from "../../agent/xds/gen/envoy/config/listener/v3/listener_pb.ts";
import type {
  Matcher,
  Matcher_MatcherList_Predicate as Predicate,
  Matcher_OnMatch as OnMatch,
} from "../../agent/xds/gen/xds/type/matcher/v3/matcher_pb.ts";

/** What a client sends first. */
export interface FirstBytes {
  readonly tls?: readonly string[];
  readonly http?: "http/1.1" | "h2c";
}

/** What a listener's filters have found of a connection, by the name of the matcher's input. */
type Found = Readonly<Record<string, string>>;

/** The filter chain that Envoy gives a connection to; undefined: it closes it. Throws at what Ambit does not use so far. */
export function chainOf(listener: Listener, port: number, first: FirstBytes): string | undefined {
  const { filterChainMatcher, filterChains } = listener;
  if (filterChainMatcher === undefined) throw new Error(`${listener.name} has no matcher`);
  const name = evaluate(filterChainMatcher, inspected(listener, port, first));
  return filterChains.some((chain) => chain.name === name) ? name : undefined;
}

/** The inspectors, where they are not switched off. */
function inspected({ listenerFilters }: Listener, port: number, { tls, http }: FirstBytes): Found {
  const looks = (name: string): boolean =>
    listenerFilters.some((filter) => filter.name.endsWith(name) && !isDisabled(filter, port));
  const found = { DestinationPortInput: String(port) };
  if (tls !== undefined && looks(".tls_inspector")) {
    const offered = tls.map((each) => `'${each}'`).join();
    return {
      ...found,
      TransportProtocolInput: "tls",
      ...(offered === "" ? {} : { ApplicationProtocolInput: offered }),
    };
  }
  return http !== undefined && looks(".http_inspector") ? { ...found, ApplicationProtocolInput: `'${http}'` } : found;
}

function isDisabled({ filterDisabled }: ListenerFilter, port: number): boolean {
  return filterDisabled !== undefined && holdsForPort(filterDisabled, port);
}

function holdsForPort({ rule }: ListenerPredicate, port: number): boolean {
  if (rule.case === "orMatch") return rule.value.rules.some((each) => holdsForPort(each, port));
  if (rule.case !== "destinationPortRange") throw new Error(`a listener filter is disabled by ${rule.case}`);
  return rule.value.start <= port && port < rule.value.end;
}

/**
 * As Envoy does it: where what was matched is a matcher that comes to nothing, the next one of a list is tried, and in the
 * end `on_no_match`; also that of a tree whose entry was found.
 */
function evaluate({ matcherType, onNoMatch }: Matcher, found: Found): string | undefined {
  const candidates: (OnMatch | undefined)[] = [];
  if (matcherType.case === "matcherList") {
    for (const { predicate, onMatch } of matcherType.value.matchers) {
      if (predicate !== undefined && holds(predicate, found)) candidates.push(onMatch);
    }
  } else if (matcherType.case === "matcherTree") {
    const { input, treeType } = matcherType.value;
    if (treeType.case !== "exactMatchMap") throw new Error(`a tree of ${treeType.case}`);
    const value = found[input?.name ?? ""];
    if (value !== undefined) candidates.push(treeType.value.map[value]);
  }
  for (const candidate of [...candidates, onNoMatch]) {
    const chosen = candidate === undefined ? undefined : act(candidate, found);
    if (chosen !== undefined) return chosen;
  }
  return undefined;
}

function act({ onMatch, keepMatching }: OnMatch, found: Found): string | undefined {
  if (keepMatching) throw new Error("a matcher that goes on");
  if (onMatch.case === "matcher") return evaluate(onMatch.value, found);
  const action = onMatch.case === "action" ? onMatch.value.typedConfig : undefined;
  const chain = action === undefined ? undefined : anyUnpack(action, StringValueSchema);
  if (!isMessage(chain, StringValueSchema)) throw new Error(`an action that names no chain: ${onMatch.case}`);
  return chain.value;
}

function holds({ matchType }: Predicate, found: Found): boolean {
  if (matchType.case === "andMatcher") return matchType.value.predicate.every((each) => holds(each, found));
  if (matchType.case !== "singlePredicate") throw new Error(`a predicate of ${matchType.case}`);
  const { input, matcher } = matchType.value;
  const value = found[input?.name ?? ""];
  const pattern = matcher.case === "valueMatch" ? matcher.value.matchPattern : undefined;
  if (pattern?.case === "exact") return value === pattern.value;
  if (pattern?.case === "prefix") return value?.startsWith(pattern.value) ?? false;
  throw new Error(`a match by ${pattern?.case ?? matcher.case}`);
}
