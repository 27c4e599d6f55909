import type { PolicyAttribute } from "../../model/authorization-policy.ts";
import { canonicalBlock } from "../../lib/ip-address.ts";
import { isDnsLabel, isDnsSubdomain } from "../valid-names.ts";
import { canBePrincipal } from "./principal-pattern.ts";
import { quote, type Reader } from "../reader.ts";

/** A value that a policy compares an attribute with, in the form that the model has it. */
export function readValue(attribute: PolicyAttribute, field: Reader, namespace: string): string | undefined {
  switch (attribute) {
    case "source.principal":
      return readPrincipal(field);
    case "source.namespace":
      return readIdentity(field);
    case "source.serviceAccount":
      return readServiceAccount(field, namespace);
    case "source.ip":
    case "remote.ip":
    case "destination.ip":
      return readBlock(field);
    case "request.auth.principal":
      return readRequestPrincipal(field);
    case "request.host":
      // Hosts are compared without regard to case (Istio, `hosts`).
      return readText(field)?.toLowerCase();
    case "request.method":
      return readMethod(field);
    case "request.path":
      return readPath(field);
    case "destination.port":
      return readPort(field);
    case "request.auth.audiences":
    case "request.auth.presenter":
    case "request.auth.claims":
    case "request.headers":
    case "connection.sni":
      return readText(field);
  }
}

/** `value`, `value*`, `*value` or `*`. Istio takes a `*` elsewhere for a plain character, which hardly anybody means. */
function readText(field: Reader): string | undefined {
  const text = field.string();
  if (text === undefined) return undefined;
  if (text === "") return field.invalid("empty-value", "the value is empty", "Remove it, or write *.");
  const inner =
    text === "*" ? "" : text.startsWith("*") ? text.slice(1) : text.endsWith("*") ? text.slice(0, -1) : text;
  if (inner.includes("*")) {
    const reason = `${quote(text)} has a * inside, or more than one *`;
    return field.invalid("unsupported-pattern", reason, "Use value, value*, *value or *.");
  }
  if (/\p{Cc}/u.test(text)) {
    return field.invalid("invalid-value", `${quote(text)} holds a character that no value can have`, "Remove it.");
  }
  return text;
}

/** Istio takes any text. With a principal that no caller can have, an ALLOW matches no call, and so does a DENY. */
function readPrincipal(field: Reader): string | undefined {
  const text = readIdentity(field);
  if (text !== undefined && !canBePrincipal(text)) {
    field.warning({
      code: "no-such-principal",
      reason: `no caller has the principal ${quote(text)}`,
      remedy: "Write trust-domain/ns/namespace/sa/service-account; or serviceAccounts: namespace/service-account.",
    });
  }
  return text;
}

function readIdentity(field: Reader): string | undefined {
  const text = readText(field);
  if (text?.startsWith("spiffe://") === true) {
    const reason = "principals are written without spiffe://";
    return field.invalid("invalid-value", reason, "Write trust-domain/ns/namespace/sa/service-account.");
  }
  if (text?.includes("|") === true) {
    return field.invalid("invalid-value", `${quote(text)} holds a character that no name can have`, "Remove it.");
  }
  return text;
}

/** `namespace/name`, or `name` in the policy's own namespace. Istio has no patterns here. */
function readServiceAccount(field: Reader, namespace: string): string | undefined {
  const text = field.string();
  if (text === undefined) return undefined;
  const [first = "", second, ...more] = text.split("/");
  const [ns, name] = second === undefined ? [namespace, first] : [first, second];
  if (more.length === 0 && isDnsLabel(ns) && isDnsSubdomain(name)) return `${ns}/${name}`;
  const reason = `${quote(text)} is no service account`;
  return field.invalid("invalid-value", reason, "Write namespace/service-account, without a *; or principals.");
}

/** `iss/sub`, divided at the last slash, as in Istio. A * stands at the end of `sub`, or before everything. */
function readRequestPrincipal(field: Reader): string | undefined {
  const text = readText(field);
  if (text !== undefined && /^[a-z]+:\/\/[^/]*\*$/u.test(text)) {
    const reason = `in ${quote(text)} the * stands inside the issuer, and no token has the issuer before the last slash`;
    return field.invalid("unsupported-pattern", reason, "Write issuer/*, */subject or *.");
  }
  return text;
}

function readMethod(field: Reader): string | undefined {
  const method = readText(field);
  if (method === undefined || /^\*?[A-Z0-9-]*\*?$/.test(method)) return method;
  return field.invalid("invalid-value", `no request has the method ${quote(method)}`, "Write it in capital letters.");
}

/** Policies see the normalised path of a request: a pattern that normalisation would change matches no request. */
function readPath(field: Reader): string | undefined {
  const isTemplate = typeof field.raw === "string" && /[{}]/.test(field.raw);
  const path = isTemplate ? readPathTemplate(field) : readText(field);
  if (path === undefined) return undefined;
  const unreserved = [...path.matchAll(/%([0-9A-Fa-f]{2})/g)].some(([, hex]) =>
    /[A-Za-z0-9._~-]/.test(String.fromCharCode(Number.parseInt(hex ?? "", 16))),
  );
  const changed = /\/\/|\/\.{1,2}(\/|$)|[?#\\\s]|%(?![0-9A-Fa-f]{2})|%5c|%00/i;
  if (!/^[/*]/.test(path) || unreserved || changed.test(path)) {
    const reason = `no request has a path like ${quote(path)} once it is normalised`;
    return field.invalid("invalid-value", reason, "Begin with /; leave out //, dot segments, ?, # and needless %XX.");
  }
  // Requests hold all other characters as the percent-encoded bytes of their UTF-8 form.
  return path
    .replaceAll(/%[0-9A-Fa-f]{2}/g, (escape) => escape.toUpperCase())
    .replaceAll(/[^\p{ASCII}]+/gu, (text) => Buffer.from(text).toString("hex").toUpperCase().replaceAll(/../g, "%$&"));
}

const TEMPLATE_REMEDY = "Use {*} for one whole segment, {**} for one or more segments after every {*}, and no other *.";

/** A path with `{*}` (one segment) or `{**}` (anything), as Istio allows them: `/a/{*}/b`, `/a/{**}`, `/a/{**}/b`. */
function readPathTemplate(field: Reader): string | undefined {
  const template = field.string();
  if (template === undefined) return undefined;
  const segments = template.split("/").slice(1);
  const wild = segments.filter((segment) => segment === "{*}" || segment === "{**}");
  const plain = segments.filter((segment) => segment !== "{*}" && segment !== "{**}");
  // RFC 3986 pchar, without the * that Envoy's templates give a meaning.
  const understood =
    template.startsWith("/") &&
    wild.length > 0 &&
    !wild.slice(0, -1).includes("{**}") &&
    plain.every((segment) => /^[A-Za-z0-9._~%!$&'()+,;:@=\u0080-\u{10ffff}-]*$/u.test(segment));
  if (understood) return template;
  return field.invalid("unsupported-pattern", `${quote(template)} is no path template`, TEMPLATE_REMEDY);
}

function readPort(field: Reader): string | undefined {
  const text = field.string();
  if (text === undefined || (/^[1-9][0-9]{0,4}$/.test(text) && Number(text) <= 65_535)) return text;
  return field.invalid("out-of-range", `${quote(text)} is not a port from 1 to 65535`, 'Write it as "8080".');
}

function readBlock(field: Reader): string | undefined {
  return field.parsed(canonicalBlock, "an IP address or CIDR block", "Write it as 10.0.0.0/8 or 2001:db8::/32.");
}
