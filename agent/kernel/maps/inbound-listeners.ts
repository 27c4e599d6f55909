import { IP_FAMILIES, type IpFamily } from "../../lib/ip-address.ts";
import { BpfMap, type Codec, u64 } from "../loader/bpf-map.ts";
import { ADDRESS_FAMILIES } from "../loader/syscall.ts";

/** struct listener_key */
interface ListenerKey {
  /** Cookie of the network namespace. */
  readonly netns: bigint;
  readonly family: IpFamily;
  readonly brief: boolean;
}

const listenerKey: Codec<ListenerKey> = {
  size: 16,
  encode: ({ netns, family, brief }) => {
    const bytes = Buffer.alloc(16);
    bytes.writeBigUInt64LE(netns);
    bytes.writeUInt32LE(ADDRESS_FAMILIES[family], 8);
    bytes.writeUInt32LE(brief ? 1 : 0, 12);
    return bytes;
  },
  decode: (bytes) => ({
    netns: bytes.readBigUInt64LE(),
    family: bytes.readUInt32LE(8) === ADDRESS_FAMILIES[4] ? 4 : 6,
    brief: bytes.readUInt32LE(12) === 1,
  }),
};

/** The map `listeners`: the proxy's inbound listeners that stand. The programs and the kernel write it. */
export class InboundListeners {
  readonly #map: BpfMap<ListenerKey, bigint>;

  constructor(fd: number) {
    this.#map = new BpfMap(fd, listenerKey, u64);
  }

  /** True if the listener that takes any connection stands in the network namespace with this cookie. */
  has(netns: bigint, family: IpFamily): boolean {
    return this.#stands({ netns, family, brief: false });
  }

  /** True if a listener of any kind stands in the network namespace with this cookie. */
  hasAny(netns: bigint): boolean {
    const each = IP_FAMILIES.flatMap((family) => [false, true].map((brief) => ({ netns, family, brief })));
    return each.some((listener) => this.#stands(listener));
  }

  #stands(listener: ListenerKey): boolean {
    return this.#map.get(listener) !== undefined;
  }
}
