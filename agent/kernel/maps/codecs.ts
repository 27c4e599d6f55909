import type { IpFamily } from "../../lib/ip-address.ts";
import type { Codec } from "../loader/maps.ts";
import { addressBytes, addressText } from "./address.ts";

/** The structures of c/lib/maps.h, as they lie in memory on little-endian machines. Ports are in host byte order. */

export const u32: Codec<number> = {
  size: 4,
  encode: (value) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes;
  },
  decode: (bytes) => bytes.readUInt32LE(),
};

export const u64: Codec<bigint> = {
  size: 8,
  encode: (value) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(value);
    return bytes;
  },
  decode: (bytes) => bytes.readBigUInt64LE(),
};

/** struct address, as the text of an IPv4 or IPv6 address. */
export const address: Codec<string> = { size: 16, encode: addressBytes, decode: addressText };

/** Any structure as its bytes. */
export function raw(size: number): Codec<Buffer> {
  return { size, encode: (value) => value, decode: (bytes) => bytes };
}

/** struct endpoint */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export const endpoint: Codec<Endpoint> = {
  size: 20,
  encode: (value) => {
    const bytes = Buffer.alloc(20);
    addressBytes(value.address).copy(bytes);
    bytes.writeUInt16LE(value.port, 16);
    return bytes;
  },
  decode: (bytes) => ({ address: addressText(bytes), port: bytes.readUInt16LE(16) }),
};

/** struct pod: its own addresses, where it has one of the family. */
export interface PodValue {
  readonly ipv4: string | undefined;
  readonly ipv6: string | undefined;
}

export const pod: Codec<PodValue> = {
  size: 32,
  encode: (value) => {
    const bytes = Buffer.alloc(32);
    if (value.ipv4 !== undefined) addressBytes(value.ipv4).copy(bytes);
    if (value.ipv6 !== undefined) addressBytes(value.ipv6).copy(bytes, 16);
    return bytes;
  },
  decode: (bytes) => {
    const at = (start: number): string | undefined => {
      const part = bytes.subarray(start, start + 16);
      return part.every((byte) => byte === 0) ? undefined : addressText(part);
    };
    return { ipv4: at(0), ipv6: at(16) };
  },
};

/** struct listener_key */
export interface ListenerKey {
  readonly netns: bigint;
  readonly family: IpFamily;
  readonly brief: boolean;
}

/** AF_INET and AF_INET6 */
export const ADDRESS_FAMILIES = { 4: 2, 6: 10 } as const;

export const listenerKey: Codec<ListenerKey> = {
  size: 16,
  encode: (value) => {
    const bytes = Buffer.alloc(16);
    bytes.writeBigUInt64LE(value.netns);
    bytes.writeUInt32LE(ADDRESS_FAMILIES[value.family], 8);
    bytes.writeUInt32LE(value.brief ? 1 : 0, 12);
    return bytes;
  },
  decode: (bytes) => ({
    netns: bytes.readBigUInt64LE(),
    family: bytes.readUInt32LE(8) === ADDRESS_FAMILIES[4] ? 4 : 6,
    brief: bytes.readUInt32LE(12) === 1,
  }),
};
