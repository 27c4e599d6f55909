import type { JwksSource } from "../../model/request-authentication.ts";
import { parseDuration } from "../duration.ts";
import { readKeySet } from "./json-web-keys.ts";
import { quote, type Reader } from "../reader.ts";

/** Istio's default. */
const DEFAULT_TIMEOUT_MS = 5_000;
const MAX_TIMEOUT_MS = 60_000;
const MAX_URL = 2048;

/** Where a rule's keys come from: `jwks`, `jwksUri`, or what its issuer publishes (OpenID Connect Discovery 1.0). */
export function readJwksSource(rule: Reader, issuer: string | undefined): JwksSource | undefined {
  const inline = rule.field("jwks");
  const uri = rule.field("jwksUri");
  const timeoutMs = readTimeout(rule.field("timeout"));
  if (inline.raw !== undefined && uri.raw !== undefined) {
    return uri.invalid("conflicting-fields", "keys come either from jwks or from jwksUri", "Remove one of them.");
  }
  if (inline.raw !== undefined) return readInline(inline);
  if (uri.raw !== undefined) {
    const url = uri.parsed(webAddress, "a URL of http or https", "Write it as https://example.com/keys.json.");
    return url === undefined ? undefined : { kind: "uri", url, timeoutMs };
  }
  if (issuer === undefined || inline.isWritten || uri.isWritten) return undefined;
  const base = webAddress(issuer);
  if (base === undefined) {
    const reason = `there is neither jwks nor jwksUri, and the issuer ${quote(issuer)} is no URL to ask for its keys`;
    return rule.field("issuer").invalid("missing-field", reason, "Add jwksUri, the URL of the issuer's key set.");
  }
  return { kind: "discovery", url: `${base.replace(/\/$/, "")}/.well-known/openid-configuration`, timeoutMs };
}

function readInline(field: Reader): JwksSource | undefined {
  const text = field.string();
  if (text === undefined) return undefined;
  const set = readKeySet(text);
  if (typeof set === "string") {
    return field.invalid("invalid-value", `this is no JSON Web Key Set: ${set}`, 'Write {"keys": [...]} (RFC 7517).');
  }
  for (const reason of set.skipped) {
    field.warning({ code: "unsupported-key", reason, remedy: "Tokens that are signed with it are rejected." });
  }
  if (set.keys.length > 0) return { kind: "inline", keys: set.keys };
  return field.invalid("invalid-value", "no key of the set can be used", "Add the issuer's public RSA or EC key.");
}

function readTimeout(field: Reader): number {
  const remedy = "Write it as 5s; at most 60s.";
  const parse = (text: string): number | undefined => {
    const time = parseDuration(text);
    return time === undefined || time === 0 || time > MAX_TIMEOUT_MS ? undefined : time;
  };
  return field.parsed(parse, "a time to wait for an answer", remedy) ?? DEFAULT_TIMEOUT_MS;
}

function webAddress(text: string): string | undefined {
  if (text.length > MAX_URL || !/^https?:\/\//i.test(text) || !URL.canParse(text)) return undefined;
  const { href, hash, username, password } = new URL(text);
  return hash === "" && username === "" && password === "" ? href : undefined;
}
