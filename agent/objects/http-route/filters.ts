import type { HeaderModifier, HeaderValue, RouteFilters } from "../../model/http-route.ts";
import { isHeaderName, isHeaderValue } from "../valid-names.ts";
import { quote, words, type Reader } from "../reader.ts";

export interface ReadFilters {
  readonly filters: RouteFilters;
  /**
   * false: the list holds a filter that is not served. Requests must be answered with 500, never sent on without the
   * filter.
   */
  readonly inOrder: boolean;
}

/** The types of HTTPRouteFilter, each with the field that holds its settings. */
const TYPES = {
  RequestHeaderModifier: "requestHeaderModifier",
  ResponseHeaderModifier: "responseHeaderModifier",
  RequestMirror: "requestMirror",
  RequestRedirect: "requestRedirect",
  URLRewrite: "urlRewrite",
  CORS: "cors",
  ExternalAuth: "externalAuth",
  ExtensionRef: "extensionRef",
} as const;
type FilterType = keyof typeof TYPES;
const TYPE_NAMES = Object.keys(TYPES) as FilterType[];

/** Filters of a rule or of a backend. */
export function readFilters(list: Reader): ReadFilters {
  const before = list.notes.errors;
  const seen = new Set<FilterType>();
  let requestHeaders: HeaderModifier | undefined;
  let responseHeaders: HeaderModifier | undefined;
  for (const entry of list.items()) {
    const type = entry.field("type").required().oneOf(TYPE_NAMES);
    if (type === undefined) continue;
    const settings = (): Reader => entry.fields(["type", TYPES[type]]).field(TYPES[type]).required();
    switch (type) {
      case "RequestHeaderModifier":
        requestHeaders = readModifier(settings());
        break;
      case "ResponseHeaderModifier":
        responseHeaders = readModifier(settings());
        break;
      case "RequestMirror":
      case "RequestRedirect":
      case "URLRewrite":
      case "CORS":
      case "ExternalAuth":
      case "ExtensionRef": {
        const reason = `the filter ${type} is not supported; requests are answered 500`;
        entry.field("type").invalid("unsupported-filter", reason, "Remove the filter.");
        continue;
      }
    }
    if (seen.has(type)) {
      entry.invalid("duplicate-filter", `there is already a ${type} in this list`, "Merge them into one filter.");
    }
    seen.add(type);
  }
  return { filters: { requestHeaders, responseHeaders }, inOrder: list.notes.errors === before };
}

function readModifier(field: Reader): HeaderModifier {
  field.fields(["set", "add", "remove"]);
  const seen = new Set<string>();
  return {
    set: field.field("set").list((entry) => readHeader(entry, seen)),
    add: field.field("add").list((entry) => readHeader(entry, seen)),
    remove: field.field("remove").list((entry) => readName(entry, seen)),
  };
}

function readHeader(entry: Reader, seen: Set<string>): HeaderValue | undefined {
  entry.fields(["name", "value"]);
  const name = readName(entry.field("name").required(), seen);
  const value = entry
    .field("value")
    .required()
    .parsed(
      (text) => (isHeaderValue(text) ? text : undefined),
      "a header's value",
      "Use visible characters, no line ends.",
    );
  return name === undefined || value === undefined ? undefined : { name, value };
}

/** Host, and what says where an HTTP/1 message ends: a caller's body must not become a request of its own (RFC 9112, section 11.2). */
const RESERVED = new Set(
  words("host connection content-length keep-alive proxy-connection te trailer transfer-encoding upgrade"),
);

function readName(field: Reader, seen: Set<string>): string | undefined {
  const name = field
    .parsed((text) => (isHeaderName(text) ? text : undefined), "a header's name", "Use letters, digits and hyphens.")
    ?.toLowerCase();
  if (name === undefined) return undefined;
  // Envoy refuses to change Host this way. Those with these beginnings control the proxy itself.
  if (RESERVED.has(name) || name.startsWith("x-ambit-") || name.startsWith("x-envoy-")) {
    return field.invalid("reserved-header", `${quote(name)} cannot be changed by a route`, "Use another header.");
  }
  if (seen.has(name)) {
    return field.invalid("duplicate-header", `${quote(name)} is changed twice by one filter`, "Keep one of them.");
  }
  seen.add(name);
  return name;
}
