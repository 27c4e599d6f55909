import { SYSTEM_CLOCK, type Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/log.ts";

/** Ports of one pod that callers use at a time by the pod's own address. Each is a cluster, of about 43 kB in Envoy. */
export const DIRECT_PORTS_OF_A_POD = 64;
/** Beyond so many of these clusters in total, unused ones go. Those in use stay. */
export const DIRECT_CLUSTERS = 1000;

/** A new cluster is not in use at once: the connection that asked for it comes after it. */
const SETTLE_MS = 250;
/** Between two looks at what is in use. */
const LOOK_MS = 100;
/** By then, all that is not in use is gone. */
const TOTAL_WAIT_MS = 1_000;
/** While there are more than `DIRECT_CLUSTERS`. */
const LOOK_AGAIN_MS = 10_000;
/** Envoy itself gives up after 30 s (`DISCOVERY_TIMEOUT_MS`). */
const PATIENCE_MS = 25_000;

export interface DirectClustersOptions {
  /** Names of the clusters of which Envoy has connections or requests. */
  readonly inUse: () => Promise<ReadonlySet<string>>;
  /** Gives Envoy clusters that it has asked for. */
  readonly give: (names: readonly string[]) => void;
  /** Takes clusters away from Envoy; one that it waits for does not come. */
  readonly take: (names: readonly string[]) => void;
  readonly log: Logger;
  readonly clock?: Pick<Clock, "now">;
}

/**
 * Bounds the clusters of pods that are dialled by their own address. There is one for each port that anyone dials, so a pod
 * that dials every port of another one asks for 65,535. A cluster that is not in use can go at any time: Envoy asks again
 * at the next call. So at a bound, new ones wait until unused ones are gone: the newest first, as the oldest have proved
 * useful. Ports of one pod that are in use count for that pod alone.
 */
export class DirectClusters {
  readonly #options: DirectClustersOptions;
  readonly #clock: Pick<Clock, "now">;
  /** What Envoy has: name → since when, oldest first. */
  readonly #kept = new Map<string, number>();
  readonly #waiting = new Map<string, number>();
  readonly #ofPod = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  #refused = 0;

  constructor(options: DirectClustersOptions) {
    this.#options = options;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
  }

  /** Clusters that were not given, as too many ports of their pod were in use. */
  get refused(): number {
    return this.#refused;
  }

  /** Envoy has these from before. */
  known(names: readonly string[]): void {
    for (const name of names) this.#keep(name);
  }

  /** Envoy asks for these. Returns those that it may have at once; the others follow by `give`. */
  ask(names: readonly string[]): readonly string[] {
    const now = names.filter((name) => {
      if (this.#kept.has(name)) return true;
      if (this.#hasRoom(name)) {
        this.#keep(name);
        return true;
      }
      if (!this.#waiting.has(name)) this.#waiting.set(name, this.#clock.now());
      return false;
    });
    if (this.#waiting.size > 0) this.#lookSoon(0);
    return now;
  }

  /** Envoy has lost these, or does not want them any more. */
  gone(names: Iterable<string>): void {
    for (const name of names) {
      this.#waiting.delete(name);
      if (!this.#kept.delete(name)) continue;
      const pod = podOf(name);
      this.#ofPod.set(pod, (this.#ofPod.get(pod) ?? 1) - 1);
      if (this.#ofPod.get(pod) === 0) this.#ofPod.delete(pod);
    }
  }

  /** A new Envoy, or a new connection of the same: it says anew what it has. */
  clear(): void {
    this.#kept.clear();
    this.#waiting.clear();
    this.#ofPod.clear();
    this.close();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #keep(name: string): void {
    if (this.#kept.has(name)) return;
    this.#kept.set(name, this.#clock.now());
    const pod = podOf(name);
    this.#ofPod.set(pod, (this.#ofPod.get(pod) ?? 0) + 1);
  }

  #hasRoom(name: string): boolean {
    return (this.#ofPod.get(podOf(name)) ?? 0) < DIRECT_PORTS_OF_A_POD && this.#kept.size < DIRECT_CLUSTERS;
  }

  #lookSoon(ms: number): void {
    if (this.#looking) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#look();
    }, ms);
  }

  async #look(): Promise<void> {
    this.#looking = true;
    try {
      await this.makeRoom();
    } catch (error) {
      this.#options.log.debug({ error: String(error) }, "Envoy does not tell which clusters are in use");
    }
    this.#looking = false;
    if (this.#waiting.size > 0) this.#lookSoon(LOOK_MS);
    else if (this.#kept.size > DIRECT_CLUSTERS) this.#lookSoon(LOOK_AGAIN_MS);
  }

  /** One look: takes what is not in use where room is wanted, and gives what has room then. */
  async makeRoom(): Promise<void> {
    const inUse = await this.#options.inUse();
    const now = this.#clock.now();
    const idle = [...this.#kept]
      .filter(([name, since]) => !inUse.has(name) && now - since >= SETTLE_MS)
      .map(([name]) => name)
      .toReversed();
    const wanted = new Map<string, number>();
    for (const name of this.#waiting.keys()) wanted.set(podOf(name), (wanted.get(podOf(name)) ?? 0) + 1);
    let total = this.#kept.size + this.#waiting.size - DIRECT_CLUSTERS;
    const taken: string[] = [];
    for (const name of idle) {
      const pod = podOf(name);
      const missing = (this.#ofPod.get(pod) ?? 0) + (wanted.get(pod) ?? 0) - DIRECT_PORTS_OF_A_POD;
      if (missing <= 0 && total <= 0) continue;
      this.gone([name]);
      total--;
      taken.push(name);
    }
    this.#options.take(taken);
    this.#answer(now);
  }

  #answer(now: number): void {
    const given: string[] = [];
    const refused: string[] = [];
    for (const [name, since] of this.#waiting) {
      // Those in use stay, so the total may be above its bound in the end. A pod's own bound holds always.
      const hasWaited = now - since >= TOTAL_WAIT_MS && (this.#ofPod.get(podOf(name)) ?? 0) < DIRECT_PORTS_OF_A_POD;
      if (this.#hasRoom(name) || hasWaited) {
        this.#keep(name);
        given.push(name);
      } else if (now - since > PATIENCE_MS) refused.push(name);
    }
    for (const name of [...given, ...refused]) this.#waiting.delete(name);
    if (given.length > 0) this.#options.give(given);
    if (refused.length === 0) return;
    this.#refused += refused.length;
    this.#options.take(refused);
    const pods = [...new Set(refused.map(podOf))].slice(0, 5);
    this.#options.log.warn(
      { pods, refused: refused.length },
      `connections by a pod's own address are refused: ${DIRECT_PORTS_OF_A_POD} other ports of the pod are in use`,
    );
  }
}

/** The address in `10.0.0.1:80` or `tcp|[fd00::1]:80`. */
function podOf(name: string): string {
  return name.slice(name.startsWith("tcp|") ? 4 : 0, name.lastIndexOf(":"));
}
