import type { PolicyCondition } from "../model/authorization-policy.ts";
import type { AuthzCall } from "./call.ts";
import { normalPath } from "./normal-path.ts";
import { isInBlock, matchesPath, matchesRequestPrincipal, matchesText } from "./pattern.ts";

/** What a condition finds in a call, and how it compares that with one of its values. */
export interface Fact {
  /** For people; "" where there is nothing. */
  readonly found: string;
  readonly matches: (pattern: string) => boolean;
}

/** The call's answer to what a condition asks. */
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
      // No proxy before the mesh is trusted to say who its client is: the client is who opened the connection.
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

/** One of several is enough. */
function texts(values: readonly string[]): Fact {
  return { found: values.join(", "), matches: (pattern) => values.some((value) => matchesText(pattern, value)) };
}

function address(found: string): Fact {
  return { found, matches: (block) => isInBlock(block, found) };
}

/** Several headers of one name are one, joined by commas, as Envoy has it; one that is there and empty is present. */
function header(name: string, call: AuthzCall): Fact {
  if (name === ":authority") return text(call.host);
  const values = call.headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
  const joined = values.join(",");
  return {
    found: joined,
    matches: (pattern) => values.length > 0 && (pattern === "*" || matchesText(pattern, joined)),
  };
}

/** Claims whose values are words (RFC 8693 `scope`), as Istio divides them. */
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
