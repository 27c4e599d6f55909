import { SYSTEM_CLOCK, type Clock } from "../../lib/clock.ts";
import { addressBytes, addressText } from "./address.ts";
import { address, u32, u64 } from "./codecs.ts";
import { BpfMap } from "../loader/maps.ts";

/**
 * Who leaves the mesh may speak mTLS until its node has heard that all others have followed, at most some seconds; who stays
 * here for longer than that only waits a little longer for a server's greeting.
 */
export const LINGER_MS = 10_000;

/** For so long the kernel goes by the last word; an agent that is at work says it again every few seconds (`sweep`). */
const VOUCHED_NS = 20_000_000_000n;

/** The map `mtls_callers`: whose first bytes are waited for at a port whose server may speak first, as they may be TLS. */
export class MtlsCallers {
  readonly #map: BpfMap<string, number>;
  readonly #knownUntil: BpfMap<number, bigint>;
  readonly #clock: Pick<Clock, "now">;
  /** As they are given, and as the kernel's are written: they are many, and seldom new. */
  #wanted: ReadonlyMap<string, string> = new Map();
  /** In the kernel and not wanted any more, since when. What an earlier agent has left is among them until it is asked for. */
  readonly #leaving: Map<string, number>;
  /** Has the kernel been told of all? */
  #isComplete = false;

  constructor(callers: number, knownUntil: number, clock: Pick<Clock, "now"> = SYSTEM_CLOCK) {
    this.#map = new BpfMap(callers, address, u32);
    this.#knownUntil = new BpfMap(knownUntil, u32, u64);
    this.#clock = clock;
    this.#leaving = new Map([...this.#map.entries()].map(([text]) => [text, clock.now()]));
  }

  /** Adds those that are new; the others go with time (`sweep`). Throws AmbitError `bad-address` or `SystemCallError`. */
  set(addresses: readonly string[]): void {
    const wanted = new Map(addresses.map((text) => [text, this.#wanted.get(text) ?? addressText(addressBytes(text))]));
    const fresh = [...wanted].filter(([text]) => !this.#wanted.has(text)).map(([, written]) => written);
    this.#isComplete = false;
    this.#map.setAll(fresh.map((written) => [written, 1] as const));
    this.#isComplete = true;
    const since = this.#clock.now();
    for (const [text, written] of this.#wanted) if (!wanted.has(text)) this.#leaving.set(written, since);
    for (const written of fresh) this.#leaving.delete(written);
    this.#wanted = wanted;
    this.#vouch();
  }

  /** To be called from time to time. */
  sweep(): void {
    const until = this.#clock.now() - LINGER_MS;
    const over = [...this.#leaving].filter(([, since]) => since <= until).map(([written]) => written);
    this.#map.deleteAll(over);
    for (const written of over) this.#leaving.delete(written);
    this.#vouch();
  }

  #vouch(): void {
    if (this.#isComplete) this.#knownUntil.set(0, process.hrtime.bigint() + VOUCHED_NS);
  }
}
