import type { JwtRule } from "../../model/request-authentication.ts";
import { readJwksSource } from "./jwks-source.ts";
import { isHeaderName } from "../valid-names.ts";
import { quote, words, type Reader } from "../reader.ts";

const FIELDS = words(`
  issuer audiences jwks jwksUri timeout fromHeaders fromParams fromCookies outputPayloadToHeader outputClaimToHeaders
  forwardOriginalToken spaceDelimitedClaims
`);

/** RequestAuthentication.spec.jwtRules[]; undefined where its issuer or its keys cannot be read. */
export function readJwtRule(rule: Reader): JwtRule | undefined {
  rule.fields(FIELDS);
  const issuer = readNonEmpty(rule.field("issuer").required());
  const keys = readJwksSource(rule, issuer);
  // Only one field of a rule may write a header; the payload's header counts, too.
  const written = new Set<string>();
  const read: Omit<JwtRule, "issuer" | "keys"> = {
    audiences: rule.field("audiences").list(readNonEmpty),
    fromHeaders: rule.field("fromHeaders").list(readFromHeader),
    fromParams: rule.field("fromParams").list(readNonEmpty),
    fromCookies: rule.field("fromCookies").list(readCookieName),
    outputPayloadToHeader: readOutputHeader(rule.field("outputPayloadToHeader"), written) ?? "",
    outputClaimToHeaders: rule.field("outputClaimToHeaders").list((entry) => {
      entry.fields(["header", "claim"]);
      const header = readOutputHeader(entry.field("header").required(), written);
      const claim = readNonEmpty(entry.field("claim").required());
      return header === undefined || claim === undefined ? undefined : { header, claim };
    }),
    forwardOriginalToken: rule.field("forwardOriginalToken").boolean() ?? false,
    spaceDelimitedClaims: rule.field("spaceDelimitedClaims").list(readNonEmpty),
  };
  return issuer === undefined || keys === undefined ? undefined : { issuer, keys, ...read };
}

function readNonEmpty(field: Reader): string | undefined {
  const text = field.string();
  if (text !== "") return text;
  return field.invalid("empty-value", "the value is empty", "Remove it, or fill it in.");
}

function readFromHeader(entry: Reader): JwtRule["fromHeaders"][number] | undefined {
  entry.fields(["name", "prefix"]);
  const field = entry.field("name").required();
  const name = readHeaderName(field);
  const prefix = entry
    .field("prefix")
    .parsed(
      (text) => (/^[\x20-\x7e]*$/.test(text) ? text : undefined),
      "a header's beginning",
      "Use plain characters.",
    );
  return name === undefined ? undefined : { name, prefix: prefix ?? "" };
}

/** RFC 6265: a cookie's name is a token, as a header's is. */
function readCookieName(field: Reader): string | undefined {
  return field.parsed((text) => (isHeaderName(text) ? text : undefined), "a cookie's name", "Use letters and digits.");
}

function readOutputHeader(field: Reader, written: Set<string>): string | undefined {
  if (field.raw === undefined) return undefined;
  const name = readHeaderName(field);
  if (name === undefined) return undefined;
  if (written.has(name)) {
    return field.invalid("duplicate-header", `${quote(name)} is written twice by one rule`, "Use another header.");
  }
  written.add(name);
  return name;
}

/** Headers of HTTP/1 framing, of the caller's identity, and of the proxy itself. They carry neither tokens nor claims. */
const RESERVED = new Set(
  words(`
    host connection content-length transfer-encoding te upgrade keep-alive proxy-connection trailer cookie expect
    x-forwarded-client-cert
  `),
);

function readHeaderName(field: Reader): string | undefined {
  const name = field
    .parsed((text) => (isHeaderName(text) ? text : undefined), "a header's name", "Use letters, digits and hyphens.")
    ?.toLowerCase();
  if (name === undefined) return undefined;
  if (RESERVED.has(name) || name.startsWith("x-ambit-") || name.startsWith("x-envoy-")) {
    return field.invalid("reserved-header", `${quote(name)} is a reserved header`, "Use another header.");
  }
  return name;
}
