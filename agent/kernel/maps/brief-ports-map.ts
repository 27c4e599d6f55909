import { BpfMap, u32 } from "../loader/bpf-map.ts";
import { addressPort, type AddressPort, addressPortText } from "./address.ts";

/**
 * The map `brief_ports`: ports of this node's pods that take plaintext and whose server may speak first. sk_lookup hands
 * plaintext connections to these ports to the brief inbound listener.
 */
export class BriefPortsMap {
  readonly #map: BpfMap<AddressPort, number>;
  /** The kernel's elements. Only the agent writes this map. */
  #current: ReadonlyMap<string, AddressPort>;

  constructor(fd: number) {
    this.#map = new BpfMap(fd, addressPort, u32);
    this.#current = byText([...this.#map.entries()].map(([key]) => key));
  }

  /** Deletes all other ports, and adds none. */
  narrow(ports: readonly AddressPort[]): void {
    const wanted = byText(ports);
    const gone = [...this.#current].filter(([text]) => !wanted.has(text));
    this.#map.deleteAll(gone.map(([, key]) => key));
    this.#current = new Map([...this.#current].filter(([text]) => wanted.has(text)));
  }

  /** The map has exactly these ports afterwards. Throws AmbitError `bad-address` or `SystemCallError`. */
  set(ports: readonly AddressPort[]): void {
    this.narrow(ports);
    const wanted = byText(ports);
    const fresh = [...wanted].filter(([text]) => !this.#current.has(text));
    this.#map.setAll(fresh.map(([, key]) => [key, 1] as const));
    this.#current = wanted;
  }
}

function byText(ports: readonly AddressPort[]): ReadonlyMap<string, AddressPort> {
  return new Map(ports.map((port) => [addressPortText(port), port]));
}
