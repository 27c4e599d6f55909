import { familyOf, type IpFamily } from "../../lib/ip-address.ts";
import { BpfMap, type Codec, u64 } from "../loader/bpf-map.ts";
import { addressBytes, addressText } from "./address.ts";

/** struct pod: the pod's own addresses; undefined: it has none of the family. */
interface OwnAddresses {
  readonly ipv4: string | undefined;
  readonly ipv6: string | undefined;
}

const ownAddresses: Codec<OwnAddresses> = {
  size: 32,
  encode: ({ ipv4, ipv6 }) => {
    const bytes = Buffer.alloc(32);
    if (ipv4 !== undefined) addressBytes(ipv4).copy(bytes);
    if (ipv6 !== undefined) addressBytes(ipv6).copy(bytes, 16);
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

/** The map `pods`: the network namespaces, by their cookies, whose outbound connections are captured. */
export class OutboundPods {
  readonly #map: BpfMap<bigint, OwnAddresses>;

  constructor(fd: number) {
    this.#map = new BpfMap(fd, u64, ownAddresses);
  }

  /** A connection that is captured shows the application the first address of its family as its own. */
  set(cookie: bigint, addresses: readonly string[]): void {
    const first = (family: IpFamily): string | undefined => addresses.find((each) => familyOf(each) === family);
    this.#map.set(cookie, { ipv4: first(4), ipv6: first(6) });
  }

  delete(cookie: bigint): void {
    this.#map.delete(cookie);
  }
}
