import { closeSync } from "node:fs";
import { IP_FAMILIES } from "../lib/ip-address.ts";
import { BpfMap, u32, u64 } from "./loader/bpf-map.ts";
import { ADDRESS_FAMILIES, openFilteredListener, SystemCallError } from "./loader/syscall.ts";

/** A classic BPF program of one instruction (BPF_RET | BPF_K): keeps 0 bytes of each packet, which discards it. */
const DISCARD_ALL = Buffer.from([0x06, 0, 0, 0, 0, 0, 0, 0]);

/** Errors of a node without IPv6. It has no connections of that family to drop. */
const NO_SUCH_FAMILY: readonly string[] = ["EAFNOSUPPORT", "EADDRNOTAVAIL"];

/**
 * Sockets for connections to a pod that joins and has no inbound listener yet, one for each address family. Their filter
 * discards the client's SYN without an answer, so that the client sends it again; the program at sk_lookup by itself can only
 * refuse a connection. When the agent ends, the kernel deletes its sockets from the map `silent_listeners`, and such
 * connections are refused.
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
