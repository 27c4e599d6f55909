import type { CapturedDestination } from "../../model/capture-state.ts";
import { OUTBOUND_PORTS } from "../../lib/ports.ts";
import { addressBytes } from "./address.ts";
import { endpoint, type Endpoint, u32 } from "./codecs.ts";
import { BpfMap } from "../loader/maps.ts";

/** The map `destinations`: where connections of enrolled pods are redirected, and to which listener. */
export class Destinations {
  readonly #map: BpfMap<Endpoint, number>;
  /** What the kernel has, by the bytes of the key; read once, for nobody else writes this map. */
  #current: Map<string, { readonly key: Endpoint; readonly port: number }>;

  #last: string | undefined;

  constructor(fd: number) {
    this.#map = new BpfMap(fd, endpoint, u32);
    this.#current = new Map([...this.#map.entries()].map(([key, port]) => [textOf(key), { key, port }]));
  }

  /** Makes the map say exactly this. New and changed ones first, then what is gone. Throws AmbitError `bad-address`. */
  set(list: readonly CapturedDestination[]): void {
    const said = JSON.stringify(list);
    if (said === this.#last) return;
    const wanted = new Map(
      list.map(({ address, port, mode }) => {
        const key = { address, port };
        return [textOf(key), { key, port: OUTBOUND_PORTS[mode] }];
      }),
    );
    const changed = [...wanted].filter(([text, { port }]) => this.#current.get(text)?.port !== port);
    const gone = [...this.#current].filter(([text]) => !wanted.has(text));
    this.#map.setAll(changed.map(([, { key, port }]) => [key, port] as const));
    this.#map.deleteAll(gone.map(([, { key }]) => key));
    this.#current = wanted;
    this.#last = said;
  }
}

function textOf(key: Endpoint): string {
  return `${addressBytes(key.address).toString("hex")}:${key.port}`;
}
