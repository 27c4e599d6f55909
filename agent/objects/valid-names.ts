// Kubernetes' rules for names: none of the accepted forms can hold a "|", a quote, a slash or a space.

const DNS_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const LABEL_PART = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const SERVICE_NAME = /^[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$/;
const UID = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$/;

/** RFC 1123 label: namespaces, Services, names of Service ports. */
export function isDnsLabel(text: string): boolean {
  return DNS_LABEL.test(text);
}

/** RFC 1123 subdomain: names of most objects. */
export function isDnsSubdomain(text: string): boolean {
  return text.length <= 253 && text.split(".").every((part) => DNS_LABEL.test(part));
}

/** IANA service name (RFC 6335), as ports of containers are named: a letter somewhere, no two hyphens in a row. */
export function isPortName(text: string): boolean {
  return SERVICE_NAME.test(text) && /[a-z]/.test(text) && !text.includes("--");
}

export function isLabelValue(text: string): boolean {
  return text === "" || LABEL_PART.test(text);
}

/** `name` or `dns.prefix/name`. */
export function isLabelKey(text: string): boolean {
  const slash = text.indexOf("/");
  if (slash === -1) return LABEL_PART.test(text);
  return isDnsSubdomain(text.slice(0, slash)) && LABEL_PART.test(text.slice(slash + 1));
}

export function isUid(text: string): boolean {
  return UID.test(text);
}

/** RFC 9110 field name. */
export function isHeaderName(text: string): boolean {
  return text.length <= 256 && /^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/.test(text);
}

/** RFC 9110 field value: visible characters, spaces and tabs inside, nothing that ends a line. */
export function isHeaderValue(text: string): boolean {
  return text.length <= 4096 && /^[\t\x20-\x7e\x80-\u{10ffff}]*$/u.test(text);
}
