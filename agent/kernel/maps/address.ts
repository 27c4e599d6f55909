import ipaddr from "ipaddr.js";
import { AmbitError } from "../../lib/errors.ts";

/** An address as the programs keep it: 16 bytes, IPv4 as ::ffff:a.b.c.d. Throws AmbitError `bad-address`. */
export function addressBytes(text: string): Buffer {
  if (!ipaddr.isValid(text)) {
    throw new AmbitError({ code: "bad-address", kind: "user", what: `'${text}' is not an IP address` });
  }
  const parsed = ipaddr.parse(text);
  return Buffer.from(parsed instanceof ipaddr.IPv4 ? parsed.toIPv4MappedAddress().toByteArray() : parsed.toByteArray());
}

/** The address in those 16 bytes, as text: IPv4 where it is one. */
export function addressText(bytes: Buffer): string {
  return ipaddr.process(ipaddr.fromByteArray([...bytes.subarray(0, 16)]).toString()).toString();
}
