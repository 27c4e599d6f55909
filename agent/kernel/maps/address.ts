import { AmbitError } from "../../lib/errors.ts";
import { addressFromBytes, bytesOfAddress } from "../../lib/ip-address.ts";
import type { Codec } from "../loader/bpf-map.ts";

/** An address in the form of the programs' maps: 16 bytes, IPv4 as ::ffff:a.b.c.d. Throws AmbitError `bad-address`. */
export function addressBytes(text: string): Buffer {
  const bytes = bytesOfAddress(text);
  if (bytes === undefined) {
    throw new AmbitError({ code: "bad-address", kind: "user", what: `'${text}' is not an IP address` });
  }
  return Buffer.from(bytes);
}

/** The text of an address in that form. Each address has one text: the short one, without a ::ffff: prefix. */
export function addressText(bytes: Buffer): string {
  return addressFromBytes(bytes.subarray(0, 16));
}

/** struct address of c/lib/address.h */
export const address: Codec<string> = { size: 16, encode: addressBytes, decode: addressText };

/** struct endpoint of c/lib/maps.h. The port is in host byte order. */
export interface AddressPort {
  readonly address: string;
  readonly port: number;
}

export const addressPort: Codec<AddressPort> = {
  size: 20,
  encode: (value) => {
    const bytes = Buffer.alloc(20);
    addressBytes(value.address).copy(bytes);
    bytes.writeUInt16LE(value.port, 16);
    return bytes;
  },
  decode: (bytes) => ({ address: addressText(bytes), port: bytes.readUInt16LE(16) }),
};

/** A key for address and port in a `Map`: equal for all texts of one address. */
export function addressPortText({ address: text, port }: AddressPort): string {
  return `${addressBytes(text).toString("hex")}:${port}`;
}
