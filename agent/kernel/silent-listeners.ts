import { closeSync } from "node:fs";
import { IP_FAMILIES } from "../lib/ip-address.ts";
import { BpfMap } from "./loader/maps.ts";
import { openFilteredListener, SystemCallError } from "./loader/syscall.ts";
import { ADDRESS_FAMILIES, u32, u64 } from "./maps/codecs.ts";

/** A classic BPF program of one instruction (BPF_RET | BPF_K): keeps 0 bytes of each packet, which discards it. */
const DISCARD_ALL = Buffer.from([0x06, 0, 0, 0, 0, 0, 0, 0]);

/** A node without IPv6 has no such address: connections of that family are refused. */
const NO_SUCH_FAMILY: readonly string[] = ["EAFNOSUPPORT", "EADDRNOTAVAIL"];

/**
 * The sockets that take the connections to a pod whose inbound listener is still to come, one for each address family: their
 * filter discards the client's SYN without an answer, so that the client sends it again. sk_lookup by itself can only refuse a
 * connection. The sockets are the agent's own: when it ends, the kernel takes them out of the map `silent_listeners`, and
 * such connections are refused.
 */
export class SilentListeners {
  readonly #fds: number[] = [];

  constructor(map: number) {
    const listeners = new BpfMap(map, u32, u64);
    for (const family of IP_FAMILIES) {
      try {
        const fd = openFilteredListener(family, DISCARD_ALL);
        this.#fds.push(fd);
        listeners.set(ADDRESS_FAMILIES[family], BigInt(fd));
      } catch (error) {
        if (error instanceof SystemCallError && NO_SUCH_FAMILY.includes(error.code)) continue;
        this.close();
        throw error;
      }
    }
  }

  close(): void {
    for (const fd of this.#fds.splice(0)) closeSync(fd);
  }
}
