import {
  Matcher_MatcherList_FieldMatcherSchema as FieldMatcherSchema,
  Matcher_MatcherList_PredicateSchema as PredicateSchema,
  Matcher_OnMatchSchema as OnMatchSchema,
  MatcherSchema,
  type Matcher,
  type Matcher_MatcherList_Predicate as Predicate,
  type Matcher_OnMatch as OnMatch,
} from "../../xds/gen/xds/type/matcher/v3/matcher_pb.ts";
import {
  ApplicationProtocolInputSchema,
  DestinationPortInputSchema,
  TransportProtocolInputSchema,
} from "../../xds/gen/envoy/extensions/matching/common_inputs/network/v3/network_inputs_pb.ts";
import { any, create, StringValueSchema, type Any } from "../../xds/proto.ts";

/**
 * A rule of `Listener.filter_chain_matcher`, which chooses a filter chain by name. Without a match Envoy closes the
 * connection.
 */
export interface ChainRule {
  /** All of them must match; an empty list always matches. */
  readonly when: readonly Predicate[];
  readonly chain: string;
}

export const isTls: Predicate = single(any(TransportProtocolInputSchema), { exact: "tls" });

/** Matches what TLS offers by ALPN, or http_inspector found: `'a','b'`. */
export function offers(prefix: string): Predicate {
  return single(any(ApplicationProtocolInputSchema), { prefix });
}

/** No chain has this name: Envoy closes connections that are sent to it. */
const NO_CHAIN = "none";

/**
 * Rules by destination port, and the rules of every other port. The rules of a port decide alone: a last rule without a
 * chain keeps Envoy from going on to `on_no_match`, and so to the rules of the other ports.
 */
export function chainsByPort(ports: ReadonlyMap<number, readonly ChainRule[]>, others: readonly ChainRule[]): Matcher {
  if (ports.size === 0) return firstOf(others);
  const map = Object.fromEntries(
    [...ports].map(([port, rules]) => [String(port), nested(firstOf([...rules, { when: [], chain: NO_CHAIN }]))]),
  );
  return create(MatcherSchema, {
    matcherType: {
      case: "matcherTree",
      value: { input: input(any(DestinationPortInputSchema)), treeType: { case: "exactMatchMap", value: { map } } },
    },
    onNoMatch: nested(firstOf(others)),
  });
}

function firstOf(rules: readonly ChainRule[]): Matcher {
  const fallback = rules.find(({ when }) => when.length === 0);
  const matchers = rules
    .filter(({ when }) => when.length > 0)
    .map(({ when, chain }) => create(FieldMatcherSchema, { predicate: all(when), onMatch: choose(chain) }));
  return create(MatcherSchema, {
    ...(matchers.length === 0 ? {} : { matcherType: { case: "matcherList", value: { matchers } } }),
    ...(fallback === undefined ? {} : { onNoMatch: choose(fallback.chain) }),
  });
}

function all(predicates: readonly Predicate[]): Predicate {
  const [first, ...rest] = predicates;
  if (first !== undefined && rest.length === 0) return first;
  return create(PredicateSchema, { matchType: { case: "andMatcher", value: { predicate: [...predicates] } } });
}

function single(of: Any, match: { readonly exact: string } | { readonly prefix: string }): Predicate {
  const pattern =
    "exact" in match
      ? { case: "exact" as const, value: match.exact }
      : { case: "prefix" as const, value: match.prefix };
  return create(PredicateSchema, {
    matchType: {
      case: "singlePredicate",
      value: { input: input(of), matcher: { case: "valueMatch", value: { matchPattern: pattern } } },
    },
  });
}

function choose(chain: string): OnMatch {
  return create(OnMatchSchema, {
    onMatch: { case: "action", value: { name: chain, typedConfig: any(StringValueSchema, { value: chain }) } },
  });
}

function nested(matcher: Matcher): OnMatch {
  return create(OnMatchSchema, { onMatch: { case: "matcher", value: matcher } });
}

function input(of: Any) {
  return { name: of.typeUrl.slice(of.typeUrl.lastIndexOf(".") + 1), typedConfig: of };
}
