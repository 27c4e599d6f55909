import { OUTBOUND_PORTS } from "../../lib/ports.ts";
import type { CapturedDestination } from "../../model/capture-state.ts";
import { BpfMap, u32 } from "../loader/bpf-map.ts";
import { addressPort, type AddressPort, addressPortText } from "./address.ts";

/** The map `destinations`: the destinations that are captured, each with the port of the outbound listener for it. */
export class DestinationsMap {
  readonly #map: BpfMap<AddressPort, number>;
  /** The kernel's elements. Only the agent writes this map. */
  #current: Map<string, { readonly key: AddressPort; readonly port: number }>;
  /** The list of the last call in JSON: most calls repeat it. */
  #last: string | undefined;

  constructor(fd: number) {
    this.#map = new BpfMap(fd, addressPort, u32);
    this.#current = new Map([...this.#map.entries()].map(([key, port]) => [addressPortText(key), { key, port }]));
  }

  /** The map has exactly these afterwards: it adds and changes first, then deletes. Throws AmbitError `bad-address`. */
  set(list: readonly CapturedDestination[]): void {
    const json = JSON.stringify(list);
    if (json === this.#last) return;
    const wanted = new Map(
      list.map(({ address, port, mode }) => {
        const key = { address, port };
        return [addressPortText(key), { key, port: OUTBOUND_PORTS[mode] }];
      }),
    );
    const changed = [...wanted].filter(([text, { port }]) => this.#current.get(text)?.port !== port);
    const gone = [...this.#current].filter(([text]) => !wanted.has(text));
    this.#map.setAll(changed.map(([, { key, port }]) => [key, port] as const));
    this.#map.deleteAll(gone.map(([, { key }]) => key));
    this.#current = wanted;
    this.#last = json;
  }
}
