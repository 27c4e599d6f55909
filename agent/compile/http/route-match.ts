import {
  HeaderMatcherSchema,
  QueryParameterMatcherSchema,
  RouteMatchSchema,
} from "../../xds/gen/envoy/config/route/v3/route_components_pb.ts";
import { StringMatcherSchema } from "../../xds/gen/envoy/type/matcher/v3/string_pb.ts";
import { create } from "../../xds/proto.ts";
import type { RouteMatch, StringMatch } from "../../model/http-route.ts";

/** One entry of an HTTPRoute's `matches` as Envoy's RouteMatch. */
export function routeMatch(match: RouteMatch) {
  const method =
    match.method === undefined
      ? []
      : [{ name: ":method", match: { kind: "exact", value: match.method } as const satisfies StringMatch }];
  return create(RouteMatchSchema, {
    pathSpecifier: pathSpecifier(match.path),
    headers: [...method, ...match.headers].map((header) =>
      create(HeaderMatcherSchema, {
        name: header.name,
        headerMatchSpecifier: { case: "stringMatch", value: stringMatcher(header.match) },
      }),
    ),
    queryParameters: match.query.map((query) =>
      create(QueryParameterMatcherSchema, {
        name: query.name,
        queryParameterMatchSpecifier: { case: "stringMatch", value: stringMatcher(query.match) },
      }),
    ),
  });
}

function pathSpecifier(path: StringMatch) {
  switch (path.kind) {
    case "exact":
      return { case: "path", value: path.value } as const;
    case "regex":
      return { case: "safeRegex", value: { regex: path.value } } as const;
    case "prefix": {
      // Gateway API ignores a trailing slash of a PathPrefix; Envoy's path_separated_prefix must not have one.
      const prefix = path.value.replace(/\/+$/u, "");
      return prefix === ""
        ? ({ case: "prefix", value: "/" } as const)
        : ({ case: "pathSeparatedPrefix", value: prefix } as const);
    }
  }
}

function stringMatcher(match: StringMatch) {
  switch (match.kind) {
    case "exact":
      return create(StringMatcherSchema, { matchPattern: { case: "exact", value: match.value } });
    case "prefix":
      return create(StringMatcherSchema, { matchPattern: { case: "prefix", value: match.value } });
    case "regex":
      return create(StringMatcherSchema, { matchPattern: { case: "safeRegex", value: { regex: match.value } } });
  }
}
