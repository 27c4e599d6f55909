import { isIPv4, isIPv6 } from "node:net";
import ipaddr from "ipaddr.js";

export type AddressFamily = "IPv4" | "IPv6";

/**
 * The text that Envoy prints for an address (RFC 5952; IPv4-mapped addresses as IPv4), or undefined for what is none.
 * Zones (`%eth0`), octal and shortened forms are none.
 */
export function canonicalAddress(text: string): string | undefined {
  if (isIPv4(text)) return text;
  if (!isIPv6(text) || text.includes("%")) return undefined;
  const address = ipaddr.IPv6.parse(text);
  return address.isIPv4MappedAddress() ? address.toIPv4Address().toString() : address.toRFC5952String();
}

/** The family of an address in canonical form. */
export function familyOf(address: string): AddressFamily {
  return address.includes(":") ? "IPv6" : "IPv4";
}

/** `10.0.0.0/8` of `10.1.2.3/8`, a bare address as its own block, or undefined for what is neither. */
export function canonicalBlock(text: string): string | undefined {
  const slash = text.indexOf("/");
  const host = slash === -1 ? text : text.slice(0, slash);
  const mapped = isIPv6(host) && canonicalAddress(host)?.includes(":") === false;
  const address = canonicalAddress(host);
  if (address === undefined) return undefined;
  const bits = familyOf(address) === "IPv4" ? 32 : 128;
  if (slash === -1) return `${address}/${bits}`;
  const length = text.slice(slash + 1);
  if (!/^(0|[1-9][0-9]{0,2})$/.test(length)) return undefined;
  // A block of IPv4-mapped addresses is a block of IPv4 addresses only where all 96 bits of the prefix are fixed.
  const prefix = Number(length) - (mapped ? 96 : 0);
  if (prefix < 0 || prefix > bits) return undefined;
  const network =
    bits === 32
      ? ipaddr.IPv4.networkAddressFromCIDR(`${address}/${prefix}`).toString()
      : ipaddr.IPv6.networkAddressFromCIDR(`${address}/${prefix}`).toRFC5952String();
  return `${network}/${prefix}`;
}
