import { isInBlock } from "../lib/ip-address.ts";
import type { PolicyCondition } from "../model/authorization-policy.ts";
import type { AuthzCall } from "./call.ts";
import { normalPath } from "./normal-path.ts";

/** The part of a call that a condition asks for, and how it compares with one of the condition's values. */
export interface Fact {
  /** For people; "" if the call has no such part. */
  readonly found: string;
  readonly matches: (pattern: string) => boolean;
}

/** The part of the call that a condition asks for. */
export function factOf({ attribute, path }: PolicyCondition, call: AuthzCall): Fact {
  switch (attribute) {
    case "source.principal":
      return text(call.principal);
    case "source.namespace":
      return text(call.namespace);
    case "source.serviceAccount":
      return text(call.serviceAccount);
    case "source.ip":
    case "remote.ip":
      // No proxy in front of the mesh is trusted to name its client: the client is the peer that opened the connection.
      return address(call.sourceAddress);
    case "destination.ip":
      return address(call.destinationAddress);
    case "destination.port":
      return text(String(call.port));
    case "connection.sni":
      return text(call.sni);
    case "request.host":
      return text(call.host, call.host.toLowerCase());
    case "request.method":
      return text(call.method);
    case "request.path": {
      const normal = normalPath(call.path) ?? "";
      return { found: normal, matches: (pattern) => matchesPath(pattern, normal) };
    }
    case "request.headers":
      return header(path[0] ?? "", call);
    case "request.auth.principal": {
      const [issuer, subject] = [claim(call, ["iss"]), claim(call, ["sub"])];
      const known = issuer.length === 1 && subject.length === 1;
      return {
        found: known ? `${issuer[0]}/${subject[0]}` : "",
        matches: (pattern) => known && matchesRequestPrincipal(pattern, issuer[0] ?? "", subject[0] ?? ""),
      };
    }
    case "request.auth.audiences":
      return texts(claim(call, ["aud"]));
    case "request.auth.presenter":
      return texts(claim(call, ["azp"]));
    case "request.auth.claims":
      return texts(claim(call, path));
  }
}

function text(found: string, compared = found): Fact {
  return { found, matches: (pattern) => matchesText(pattern, compared) };
}

/** Matches if one of the values does. */
function texts(values: readonly string[]): Fact {
  return { found: values.join(", "), matches: (pattern) => values.some((value) => matchesText(pattern, value)) };
}

function address(found: string): Fact {
  return { found, matches: (block) => isInBlock(block, found) };
}

/** Like Envoy, joins several headers of one name by commas. An empty header counts as present. */
function header(name: string, call: AuthzCall): Fact {
  if (name === ":authority") return text(call.host);
  const values = call.headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
  const joined = values.join(",");
  return {
    found: joined,
    matches: (pattern) => values.length > 0 && (pattern === "*" || matchesText(pattern, joined)),
  };
}

/** Claims whose value is a list of words (RFC 8693 `scope`); Istio splits the same ones. */
const SPACE_DELIMITED = ["scope", "permission"];

function claim({ claims }: AuthzCall, path: readonly string[]): readonly string[] {
  let value: unknown = claims;
  for (const name of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return [];
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  if (Array.isArray(value)) return value.filter((item) => typeof item === "string");
  if (typeof value !== "string") return [];
  return path.length === 1 && SPACE_DELIMITED.includes(path[0] ?? "") ? value.split(" ").filter(Boolean) : [value];
}

/** Istio's patterns: `value`, `value*`, `*value`, or `*` for any value but the empty one. */
function matchesText(pattern: string, value: string): boolean {
  if (pattern === "*") return value !== "";
  if (pattern.endsWith("*")) return value.startsWith(pattern.slice(0, -1));
  return pattern.startsWith("*") ? value.endsWith(pattern.slice(1)) : value === pattern;
}

/** `{*}` matches one segment that is not empty, `{**}` matches any text. */
function matchesPath(pattern: string, path: string): boolean {
  if (!/\{\*{1,2}\}/u.test(pattern)) return matchesText(pattern, path);
  const source = pattern
    .split(/(\{\*{1,2}\})/u)
    .map((part) => (part === "{*}" ? "[^/]+" : part === "{**}" ? ".*" : escaped(part)))
    .join("");
  return new RegExp(`^${source}$`, "u").test(path);
}

function escaped(literal: string): string {
  return literal.replaceAll(/[\\^$.*+?()[\]{}|/]/gu, String.raw`\$&`);
}

/** Compares a token's issuer and subject separately; like Istio, splits the pattern at its last slash. */
function matchesRequestPrincipal(pattern: string, issuer: string, subject: string): boolean {
  const slash = pattern.lastIndexOf("/");
  if (slash >= 0) {
    return matchesText(pattern.slice(0, slash), issuer) && matchesText(pattern.slice(slash + 1), subject);
  }
  if (pattern.startsWith("*")) return issuer !== "" && matchesText(pattern, subject);
  return matchesText(pattern, issuer) && (pattern.endsWith("*") ? subject !== "" : subject === "");
}
