import type { Limits } from "../../model/limits.ts";
import type { NamedMatch, RouteMatch, StringMatch } from "../../model/http-route.ts";
import { isHeaderName, isHeaderValue } from "../valid-names.ts";
import { checkRe2 } from "./re2-syntax.ts";
import { quote, type Reader } from "../reader.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"] as const;

/** HTTPRouteRule.matches; without any, every request matches. */
export function readMatches(matches: Reader, { regex }: Pick<Limits, "regex">): readonly RouteMatch[] {
  const read = matches.list((entry) => readMatch(entry, regex));
  return read.length === 0
    ? [{ path: { kind: "prefix", value: "/" }, method: undefined, headers: [], query: [] }]
    : read;
}

/** `regex`: the largest regular expression. */
function readMatch(entry: Reader, regex: number): RouteMatch {
  entry.fields(["path", "headers", "queryParams", "method"]);
  return {
    path: readPath(entry.field("path"), regex),
    method: entry.field("method").oneOf(METHODS),
    headers: readNamed(entry.field("headers"), "header", regex),
    query: readNamed(entry.field("queryParams"), "query parameter", regex),
  };
}

function readPath(field: Reader, regex: number): StringMatch {
  field.fields(["type", "value"]);
  const type = field.field("type").oneOf(["Exact", "PathPrefix", "RegularExpression"]) ?? "PathPrefix";
  if (type === "RegularExpression") {
    return { kind: "regex", value: readRegex(field.field("value").required(), regex) };
  }
  const value = field.field("value").parsed(plainPath, "a path that a request can have", PATH_REMEDY) ?? "/";
  if (type === "Exact") return { kind: "exact", value };
  // Gateway API: "/abc/" means what "/abc" means.
  return { kind: "prefix", value: value.length > 1 && value.endsWith("/") ? value.slice(0, -1) : value };
}

const PATH_REMEDY = "Begin with /, leave out //, dot segments, %2f, ? and #, at most 1024 characters.";

/** The rules of HTTPPathMatch: no request has a path that normalisation would change. */
function plainPath(text: string): string | undefined {
  const plain =
    text.length <= 1024 &&
    /^\/[^?#\s\p{Cc}]*$/u.test(text) &&
    !/\/\/|\/\.{1,2}(\/|$)|%2f/i.test(text) &&
    !text.includes("\\");
  return plain ? text : undefined;
}

function readNamed(list: Reader, what: "header" | "query parameter", regex: number): readonly NamedMatch[] {
  const read: NamedMatch[] = [];
  for (const entry of list.items()) {
    entry.fields(["type", "name", "value"]);
    const type = entry.field("type").oneOf(["Exact", "RegularExpression"]) ?? "Exact";
    const name = entry
      .field("name")
      .required()
      .parsed(
        (text) => (isHeaderName(text) ? text : undefined),
        `a ${what}'s name`,
        "Use letters, digits and hyphens.",
      );
    const value = entry.field("value").required();
    const match: StringMatch =
      type === "Exact"
        ? {
            kind: "exact",
            value: value.parsed(matchValue, "a value that can be sent", "Use 1 to 4096 visible characters.") ?? "",
          }
        : { kind: "regex", value: readRegex(value, regex) };
    if (name === undefined) continue;
    const key = what === "header" ? name.toLowerCase() : name;
    // Gateway API: of two entries with one name the first counts.
    if (read.some((other) => other.name === key)) {
      entry.warning({
        code: "duplicate-match",
        reason: `the ${what} ${quote(name)} is matched by an earlier entry, and only that one counts`,
        remedy: "Remove one of them.",
      });
    } else read.push({ name: key, match });
  }
  return read;
}

function matchValue(text: string): string | undefined {
  return text !== "" && isHeaderValue(text) ? text : undefined;
}

/** A pattern in RE2's syntax, which Envoy matches against the whole text. */
function readRegex(field: Reader, limit: number): string {
  const pattern = field.string();
  if (pattern === undefined) return "";
  const checked = checkRe2(pattern);
  if (typeof checked === "string") {
    field.invalid("invalid-regex", `${quote(pattern)} is no RE2 expression: ${checked}`, RE2_REMEDY);
  } else if (checked.programSize > limit) {
    const reason = `it needs up to ${checked.programSize} instructions of RE2, and the limit is ${limit}`;
    field.invalid(
      "regex-too-large",
      reason,
      "Make repetition counts and classes smaller, or raise the limit: --limits regex=NUMBER of every agent.",
    );
  }
  return pattern;
}

const RE2_REMEDY = "Rewrite it in RE2's syntax: no look-around, no back-references, no possessive quantifiers.";
