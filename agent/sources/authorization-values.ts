import { canonicalBlock } from "./addresses.ts";
import { quote, type Reader } from "./reader.ts";

/** `value`, `value*`, `*value` or `*`. Elsewhere a `*` would be a plain character to Istio, and is hardly meant as one. */
export function readText(field: Reader): string | undefined {
  const text = field.string();
  if (text === undefined) return undefined;
  if (text === "") return field.invalid("empty-value", "the value is empty", "Remove it, or write *.");
  const inner =
    text === "*" ? "" : text.startsWith("*") ? text.slice(1) : text.endsWith("*") ? text.slice(0, -1) : text;
  if (inner.includes("*")) {
    const reason = `${quote(text)} has a * that is neither its whole, its only first nor its only last character`;
    return field.invalid("unsupported-pattern", reason, "Use value, value*, *value or *.");
  }
  if (/[\p{Cc}|]/u.test(text)) {
    return field.invalid("invalid-value", `${quote(text)} holds a character that no value can have`, "Remove it.");
  }
  if (text.startsWith("spiffe://")) {
    const reason = "principals are written without spiffe://";
    return field.invalid("invalid-value", reason, "Write trust-domain/ns/namespace/sa/service-account.");
  }
  return text;
}

export function readHost(field: Reader): string | undefined {
  // Hosts are compared without regard to case (Istio, `hosts`).
  return readText(field)?.toLowerCase();
}

export function readMethod(field: Reader): string | undefined {
  const method = readText(field);
  if (method === undefined || /^\*?[A-Z0-9-]*\*?$/.test(method)) return method;
  return field.invalid("invalid-value", `no request has the method ${quote(method)}`, "Write it in capital letters.");
}

/** Requests are judged by their normalised path: a pattern that normalisation would change matches none. */
export function readPath(field: Reader): string | undefined {
  const path = readText(field);
  if (path === undefined) return undefined;
  if (/[{}]/.test(path)) {
    const reason = `path templates as in ${quote(path)} are not supported`;
    return field.invalid("unsupported-pattern", reason, "Use /path, /path*, */path or *.");
  }
  const unreserved = [...path.matchAll(/%([0-9A-Fa-f]{2})/g)].some(([, hex]) =>
    /[A-Za-z0-9._~-]/.test(String.fromCharCode(Number.parseInt(hex ?? "", 16))),
  );
  if (!/^[/*]/.test(path) || unreserved || /\/\/|\/\.{1,2}(\/|$)|[?#\\\s]|%(?![0-9A-Fa-f]{2})/.test(path)) {
    const reason = `no request has a path like ${quote(path)} once it is normalised`;
    return field.invalid("invalid-value", reason, "Begin with /; leave out //, dot segments, ?, # and needless %XX.");
  }
  return path;
}

export function readPort(field: Reader): string | undefined {
  const text = field.string();
  if (text === undefined || (/^[1-9][0-9]{0,4}$/.test(text) && Number(text) <= 65_535)) return text;
  return field.invalid("out-of-range", `${quote(text)} is not a port from 1 to 65535`, 'Write it as "8080".');
}

export function readBlock(field: Reader): string | undefined {
  return field.parsed(canonicalBlock, "an IP address or CIDR block", "Write it as 10.0.0.0/8 or 2001:db8::/32.");
}
