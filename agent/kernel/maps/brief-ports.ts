import { endpoint, type Endpoint, u32 } from "./codecs.ts";
import { BpfMap } from "../loader/maps.ts";

/** The map `brief_ports`: where pods of this node have a server that may speak first, and take plaintext. */
export class BriefPorts {
  readonly #map: BpfMap<Endpoint, number>;
  #current: ReadonlyMap<string, Endpoint>;

  constructor(fd: number) {
    this.#map = new BpfMap(fd, endpoint, u32);
    this.#current = byText([...this.#map.entries()].map(([key]) => key));
  }

  /** Takes out what is not among these. */
  narrow(ports: readonly Endpoint[]): void {
    const wanted = byText(ports);
    const gone = [...this.#current].filter(([text]) => !wanted.has(text));
    this.#map.deleteAll(gone.map(([, key]) => key));
    this.#current = new Map([...this.#current].filter(([text]) => wanted.has(text)));
  }

  /** Makes the map say exactly this. Throws AmbitError `bad-address` or `SystemCallError`. */
  set(ports: readonly Endpoint[]): void {
    this.narrow(ports);
    const wanted = byText(ports);
    const fresh = [...wanted].filter(([text]) => !this.#current.has(text));
    this.#map.setAll(fresh.map(([, key]) => [key, 1] as const));
    this.#current = wanted;
  }
}

function byText(ports: readonly Endpoint[]): ReadonlyMap<string, Endpoint> {
  return new Map(ports.map((port) => [endpoint.encode(port).toString("hex"), port]));
}
