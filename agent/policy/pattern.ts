import ipaddr from "ipaddr.js";

/** Istio's spelling: `value`, `value*`, `*value`, or `*` for anything but nothing. */
export function matchesText(pattern: string, value: string): boolean {
  if (pattern === "*") return value !== "";
  if (pattern.endsWith("*")) return value.startsWith(pattern.slice(0, -1));
  return pattern.startsWith("*") ? value.endsWith(pattern.slice(1)) : value === pattern;
}

/** `{*}` is one segment that is not empty, `{**}` anything. */
export function matchesPath(pattern: string, path: string): boolean {
  if (!/\{\*{1,2}\}/u.test(pattern)) return matchesText(pattern, path);
  const source = pattern
    .split(/(\{\*{1,2}\})/u)
    .map((part) => (part === "{*}" ? "[^/]+" : part === "{**}" ? ".*" : escaped(part)))
    .join("");
  return new RegExp(`^${source}$`, "u").test(path);
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/gu, String.raw`\$&`);
}

/** A token's issuer and subject, each by itself; Istio divides the pattern at its last slash. */
export function matchesRequestPrincipal(pattern: string, issuer: string, subject: string): boolean {
  const slash = pattern.lastIndexOf("/");
  if (slash >= 0) {
    return matchesText(pattern.slice(0, slash), issuer) && matchesText(pattern.slice(slash + 1), subject);
  }
  if (pattern.startsWith("*")) return issuer !== "" && matchesText(pattern, subject);
  return matchesText(pattern, issuer) && (pattern.endsWith("*") ? subject !== "" : subject === "");
}

/** Is an address (or nothing) in a block? IPv4 in IPv6 is IPv4. */
export function isInBlock(block: string, address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const [network, bits] = ipaddr.parseCIDR(block);
  const parsed = ipaddr.process(address);
  return parsed.kind() === network.kind() && parsed.match([network, bits]);
}
