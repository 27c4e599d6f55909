import { OUTBOUND_PORTS } from "../../lib/ports.ts";
import type { CapturedDestination } from "../../model/capture-state.ts";
import { AmbitError } from "../../lib/errors.ts";
import { BpfMap, u32 } from "../loader/bpf-map.ts";
import { SystemCallError } from "../loader/syscall.ts";
import { addressPort, type AddressPort, addressPortText } from "./address.ts";

interface Element {
  readonly key: AddressPort;
  readonly port: number;
}

type Entry = readonly [string, Element];

/** The map `destinations`: the destinations that are captured, each with the port of the outbound listener for it. */
export class DestinationsMap {
  readonly #map: BpfMap<AddressPort, number>;
  /** The kernel's elements. Only the agent writes this map. */
  #current: Map<string, Element>;
  /** The list of the last call in JSON: most calls repeat it. */
  #last: string | undefined;

  constructor(fd: number) {
    this.#map = new BpfMap(fd, addressPort, u32);
    this.#current = new Map([...this.#map.entries()].map(([key, port]) => [addressPortText(key), { key, port }]));
  }

  /**
   * The map has exactly these afterwards: it adds and changes first, then deletes. If it cannot hold all, it has the first ones,
   * and those that it had before, and the method throws AmbitError `destinations-full`. Throws AmbitError `bad-address`.
   */
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
    // Until the end is reached, the next call repeats everything.
    this.#last = undefined;
    if (this.#setAll(changed)) {
      this.#map.deleteAll(gone.map(([, { key }]) => key));
      this.#current = wanted;
      this.#last = json;
      return;
    }
    this.#map.deleteAll(gone.map(([, { key }]) => key));
    for (const [text] of gone) this.#current.delete(text);
    const missing = changed.filter((entry) => !this.#setOne(entry));
    if (missing.length === 0) {
      this.#last = json;
      return;
    }
    throw new AmbitError({
      code: "destinations-full",
      kind: "system",
      what: `${missing.length} of ${wanted.size} destinations do not fit into the kernel's map, which holds ${this.#current.size}`,
      why: "the mesh has more pods and Services than a node can capture calls to",
      remedy: "have fewer Services or ports; 'ambit status' names the namespaces that reach a limit",
    });
  }

  /** False if the map is full. */
  #setAll(entries: readonly Entry[]): boolean {
    try {
      this.#map.setAll(entries.map(([, { key, port }]) => [key, port] as const));
      return true;
    } catch (error) {
      if (isFull(error)) return false;
      throw error;
    }
  }

  #setOne([text, element]: Entry): boolean {
    try {
      this.#map.set(element.key, element.port);
      this.#current.set(text, element);
      return true;
    } catch (error) {
      if (isFull(error)) return false;
      throw error;
    }
  }
}

/** bpf(2): a map that has `max_entries` elements answers E2BIG; one whose elements are allocated as needed may lack memory. */
function isFull(error: unknown): boolean {
  return error instanceof SystemCallError && (error.code === "E2BIG" || error.code === "ENOMEM");
}
