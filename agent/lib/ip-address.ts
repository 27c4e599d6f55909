import { isIPv4, isIPv6 } from "node:net";
import ipaddr from "ipaddr.js";

export type IpFamily = 4 | 6;

export const IP_FAMILIES: readonly IpFamily[] = [4, 6];

/**
 * The canonical form of an address: the text that Envoy prints for it (RFC 5952; an IPv4-mapped address as IPv4). undefined
 * for a text that is no address. A text with a zone (`%eth0`), an octal number, or fewer than four IPv4 octets is no address.
 */
export function canonicalAddress(text: string): string | undefined {
  if (isIPv4(text)) return text;
  if (!isIPv6(text) || text.includes("%")) return undefined;
  const address = ipaddr.IPv6.parse(text);
  return address.isIPv4MappedAddress() ? address.toIPv4Address().toString() : address.toRFC5952String();
}

/** The family of an address in canonical form. */
export function familyOf(address: string): IpFamily {
  return address.includes(":") ? 6 : 4;
}

/** `10.0.0.0/8` for `10.1.2.3/8`. A bare address yields the block of this one address, any other text undefined. */
export function canonicalBlock(text: string): string | undefined {
  const slash = text.indexOf("/");
  const host = slash === -1 ? text : text.slice(0, slash);
  const address = canonicalAddress(host);
  const mapped = isIPv6(host) && address !== undefined && familyOf(address) === 4;
  if (address === undefined) return undefined;
  const bits = familyOf(address) === 4 ? 32 : 128;
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

/** True if `address` is in the block. An IPv4-mapped IPv6 address counts as IPv4. */
export function isInBlock(block: string, address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const [network, bits] = ipaddr.parseCIDR(block);
  const parsed = ipaddr.process(address);
  return parsed.kind() === network.kind() && parsed.match([network, bits]);
}

/** True for loopback, link-local, unspecified, broadcast and multicast addresses. */
export function isLocalOnly(address: string): boolean {
  return ["loopback", "linkLocal", "unspecified", "broadcast", "multicast"].includes(ipaddr.process(address).range());
}

/** The 16 bytes of an address, IPv4 as ::ffff:a.b.c.d; undefined for a text that is no address. */
export function bytesOfAddress(text: string): readonly number[] | undefined {
  if (!ipaddr.isValid(text)) return undefined;
  const parsed = ipaddr.parse(text);
  return parsed instanceof ipaddr.IPv4 ? parsed.toIPv4MappedAddress().toByteArray() : parsed.toByteArray();
}

/** The text of 16 bytes that hold an address. Each address has one text: the short one, without a ::ffff: prefix. */
export function addressFromBytes(bytes: Uint8Array): string {
  return ipaddr.process(ipaddr.fromByteArray([...bytes]).toString()).toString();
}
