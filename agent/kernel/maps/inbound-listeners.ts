import { IP_FAMILIES, type IpFamily } from "../../lib/ip-address.ts";
import { BpfMap, type Codec, u32, u64 } from "../loader/bpf-map.ts";
import { ADDRESS_FAMILIES } from "../loader/syscall.ts";

/** struct listener_key */
interface ListenerKey {
  /** Cookie of the network namespace. */
  readonly netns: bigint;
  readonly family: IpFamily;
  readonly brief: boolean;
  readonly slot: number;
}

const listenerKey: Codec<ListenerKey> = {
  size: 16,
  encode: ({ netns, family, brief, slot }) => {
    const bytes = Buffer.alloc(16);
    bytes.writeBigUInt64LE(netns);
    bytes.writeUInt32LE(ADDRESS_FAMILIES[family], 8);
    bytes.writeUInt16LE(brief ? 1 : 0, 12);
    bytes.writeUInt16LE(slot, 14);
    return bytes;
  },
  decode: (bytes) => ({
    netns: bytes.readBigUInt64LE(),
    family: bytes.readUInt32LE(8) === ADDRESS_FAMILIES[4] ? 4 : 6,
    brief: bytes.readUInt16LE(12) === 1,
    slot: bytes.readUInt16LE(14),
  }),
};

/** struct listener_slots */
const listenerSlots: Codec<number> = {
  size: 8,
  encode: () => {
    throw new Error("only the programs write the slots");
  },
  decode: (bytes) => bytes.readUInt32LE(),
};

/**
 * The map `worker_listeners`: the sockets of the proxy's inbound listeners that stand, one for each worker. The programs and the
 * kernel write it.
 */
export class InboundListeners {
  readonly #map: BpfMap<ListenerKey, bigint>;
  readonly #slots: BpfMap<number, number>;

  constructor(listeners: number, slots: number) {
    this.#map = new BpfMap(listeners, listenerKey, u64);
    this.#slots = new BpfMap(slots, u32, listenerSlots);
  }

  /** True if the listener that takes any connection stands in the network namespace with this cookie. */
  has(netns: bigint, family: IpFamily): boolean {
    return this.#stands(netns, family, false);
  }

  /** True if a listener of any kind stands in the network namespace with this cookie. */
  hasAny(netns: bigint): boolean {
    return IP_FAMILIES.some((family) => [false, true].some((brief) => this.#stands(netns, family, brief)));
  }

  #stands(netns: bigint, family: IpFamily, brief: boolean): boolean {
    const end = this.#slots.get(0) ?? 0;
    for (let slot = 0; slot < end; slot++) if (this.#map.get({ netns, family, brief, slot }) !== undefined) return true;
    return false;
  }
}
