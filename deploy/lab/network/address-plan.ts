import { existsSync } from "node:fs";
import { AmbitError } from "../../../agent/lib/errors.ts";

/** The lab's address plan, as kubeadm with a simple network plugin would make it. */

/** Some kernels run without IPv6. The lab is then IPv4 only. */
export function hasIPv6(): boolean {
  return existsSync("/proc/sys/net/ipv6");
}

export const MAX_NODES = 250;
/** The last address of a /24 that a pod can have. Network, gateway and broadcast addresses are not for pods. */
const MAX_POD = 254;

export interface NodeAddresses {
  /** On the fabric between the nodes; also the node's InternalIP. */
  readonly uplink: { readonly ipv4: string; readonly ipv6: string };
  readonly podCidr: { readonly ipv4: string; readonly ipv6: string };
  /** The node's address on its pods' network. It is their default gateway and name server. */
  readonly gateway: { readonly ipv4: string; readonly ipv6: string };
}

/** `number` counts nodes from 1 to MAX_NODES. */
export function nodeAddresses(number: number): NodeAddresses {
  return {
    uplink: { ipv4: `172.30.0.${number}`, ipv6: `fd00:172:30::${number.toString(16)}` },
    podCidr: { ipv4: `10.244.${number}.0/24`, ipv6: `fd00:10:244:${number.toString(16)}::/64` },
    gateway: { ipv4: `10.244.${number}.1`, ipv6: `fd00:10:244:${number.toString(16)}::1` },
  };
}

export interface PodAddresses {
  readonly ipv4: string;
  /** undefined where the kernel has no IPv6. */
  readonly ipv6: string | undefined;
}

/** Allocates a node's pod addresses. An address is reused as late as possible. */
export class PodAddressPool {
  readonly #node: number;
  readonly #used = new Set<number>();
  #last = 1;

  constructor(node: number) {
    this.#node = node;
  }

  /** Throws AmbitError `pod-addresses-exhausted`. */
  allocate(): PodAddresses {
    for (let tried = 0; tried < MAX_POD; tried++) {
      this.#last = this.#last >= MAX_POD ? 2 : this.#last + 1;
      if (this.#used.has(this.#last)) continue;
      this.#used.add(this.#last);
      return {
        ipv4: `10.244.${this.#node}.${this.#last}`,
        ipv6: hasIPv6() ? `fd00:10:244:${this.#node.toString(16)}::${this.#last.toString(16)}` : undefined,
      };
    }
    throw new AmbitError({
      code: "pod-addresses-exhausted",
      kind: "user",
      what: `a node of the lab holds at most ${MAX_POD - 1} pods`,
      remedy: "use more nodes (--nodes), or fewer replicas",
    });
  }

  release(addresses: PodAddresses): void {
    this.#used.delete(Number(addresses.ipv4.slice(addresses.ipv4.lastIndexOf(".") + 1)));
  }
}
