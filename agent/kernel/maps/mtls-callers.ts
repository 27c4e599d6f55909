import { type Clock, SYSTEM_CLOCK } from "../../lib/clock.ts";
import { BpfMap, u32, u64 } from "../loader/bpf-map.ts";
import { address, addressBytes, addressText } from "./address.ts";

/**
 * An address stays in the map for so long after its pod has lost its label and its node has withdrawn it: some connections of the pod may still speak mTLS
 * until all other nodes have followed, which takes less than a second as a rule. A pod that speaks plaintext and stays
 * in the map for longer than needed only waits a little longer for the greeting of a server that speaks first.
 */
export const LINGER_MS = 10_000;

/** The programs trust the map for so long after the agent's last word; a running agent gives it every few seconds (`sweep`). */
const TRUSTED_NS = 20_000_000_000n;

/**
 * The map `mtls_callers`: addresses of pods that may speak mTLS. At a port whose server may speak first, the proxy waits for
 * the first bytes of their connections, as these may be TLS.
 */
export class MtlsCallers {
  readonly #map: BpfMap<string, number>;
  readonly #knownUntil: BpfMap<number, bigint>;
  readonly #clock: Pick<Clock, "now">;
  /** The caller's text of each address, with the kernel's. The addresses are many, and few of them are ever new. */
  #wanted: ReadonlyMap<string, string> = new Map();
  /** Addresses in the kernel that are not wanted any more, since when. Those of an earlier agent count as such at first. */
  readonly #leaving: Map<string, number>;
  /** The kernel has all wanted addresses. */
  #isComplete = false;

  constructor(callers: number, knownUntil: number, clock: Pick<Clock, "now"> = SYSTEM_CLOCK) {
    this.#map = new BpfMap(callers, address, u32);
    this.#knownUntil = new BpfMap(knownUntil, u32, u64);
    this.#clock = clock;
    this.#leaving = new Map([...this.#map.entries()].map(([text]) => [text, clock.now()]));
  }

  /** Adds new addresses at once; `sweep` deletes the others later. Throws AmbitError `bad-address` or `SystemCallError`. */
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
    this.#confirm();
  }

  /** Call it every few seconds. */
  sweep(): void {
    const until = this.#clock.now() - LINGER_MS;
    const over = [...this.#leaving].filter(([, since]) => since <= until).map(([written]) => written);
    this.#map.deleteAll(over);
    for (const written of over) this.#leaving.delete(written);
    this.#confirm();
  }

  #confirm(): void {
    if (this.#isComplete) this.#knownUntil.set(0, process.hrtime.bigint() + TRUSTED_NS);
  }
}
