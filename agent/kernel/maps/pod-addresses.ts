import { BpfMap, u32, u64 } from "../loader/bpf-map.ts";
import { address, addressBytes, addressText, addressPort, type AddressPort } from "./address.ts";

/**
 * The maps `pod_addresses` and `probe_ports`: the sandbox that has an address, and the ports of the address that the kubelet
 * probes. Only the agent writes them. Where two sandboxes name one address, the entry is for the one that came later: a node may
 * give the address of a pod that has ended to another pod before the agent hears of the end.
 */
export class PodAddressMaps {
  readonly #addresses: BpfMap<string, bigint>;
  readonly #probePorts: BpfMap<AddressPort, number>;
  /** By the text of the address: the kernel's elements, and those that it did not take. */
  readonly #owners: Map<string, bigint>;
  readonly #refused = new Set<string>();
  readonly #probed = new Map<string, Set<number>>();
  /** When each sandbox came, as a number that grows; 0: an earlier agent knew it. */
  readonly #arrivals: Map<bigint, number>;
  #lastArrival = 0;

  /** `known`: cookies of the sandboxes that an earlier agent knew. */
  constructor(addresses: number, probePorts: number, known: Iterable<bigint>) {
    this.#addresses = new BpfMap(addresses, address, u64);
    this.#probePorts = new BpfMap(probePorts, addressPort, u32);
    this.#owners = new Map(this.#addresses.entries());
    for (const [key] of this.#probePorts.entries()) this.#portsOf(key.address).add(key.port);
    this.#arrivals = new Map([...known, ...this.#owners.values()].map((cookie) => [cookie, 0]));
  }

  /**
   * The sandbox has exactly these addresses, except those of a later sandbox. Throws AmbitError `bad-address`, and what the kernel
   * answers where it does not take one: the others are written, and probe ports may be set for all of them. The next call tries
   * again.
   */
  set(cookie: bigint, addresses: readonly string[]): void {
    const wanted = new Set(addresses.map((text) => addressText(addressBytes(text))));
    if (!this.#arrivals.has(cookie)) this.#arrivals.set(cookie, ++this.#lastArrival);
    const failures: unknown[] = [];
    for (const text of this.#of(cookie)) if (!wanted.has(text)) this.#forgetAddress(text);
    for (const text of wanted) {
      const owner = this.#owners.get(text);
      if (owner === cookie ? !this.#refused.has(text) : this.#isLater(owner, cookie)) continue;
      this.#owners.set(text, cookie);
      try {
        this.#addresses.set(text, cookie);
        this.#refused.delete(text);
      } catch (error) {
        this.#refused.add(text);
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  /** The kubelet probes the sandbox on exactly these ports. */
  setProbePorts(cookie: bigint, ports: readonly number[]): void {
    for (const text of this.#of(cookie)) {
      const current = this.#portsOf(text);
      for (const port of current) {
        if (ports.includes(port)) continue;
        this.#probePorts.delete({ address: text, port });
        current.delete(port);
      }
      for (const port of ports) {
        if (current.has(port)) continue;
        this.#probePorts.set({ address: text, port }, 1);
        current.add(port);
      }
    }
  }

  /** Deletes the addresses that the sandbox still has, with their probe ports. */
  forget(cookie: bigint): void {
    for (const text of this.#of(cookie)) this.#forgetAddress(text);
    this.#arrivals.delete(cookie);
  }

  #forgetAddress(text: string): void {
    this.#addresses.delete(text);
    this.#owners.delete(text);
    this.#refused.delete(text);
    for (const port of this.#portsOf(text)) this.#probePorts.delete({ address: text, port });
    this.#probed.delete(text);
  }

  #of(cookie: bigint): readonly string[] {
    return [...this.#owners].flatMap(([text, owner]) => (owner === cookie ? [text] : []));
  }

  /** Whether `one`, if there is such a sandbox, came no earlier than the other. */
  #isLater(one: bigint | undefined, other: bigint): boolean {
    return one !== undefined && this.#arrivalOf(one) >= this.#arrivalOf(other);
  }

  #arrivalOf(cookie: bigint): number {
    return this.#arrivals.get(cookie) ?? 0;
  }

  #portsOf(text: string): Set<number> {
    const known = this.#probed.get(text);
    if (known !== undefined) return known;
    const ports = new Set<number>();
    this.#probed.set(text, ports);
    return ports;
  }
}
