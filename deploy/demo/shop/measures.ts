import type { Controls, Outcome } from "./controls.ts";
import { onlyPodOf, podsOf, type DemoPod, type DemoStatus } from "./demo-lab.ts";

/** The pods that are measured. */
export interface Cast {
  readonly storefront: DemoPod;
  readonly loadgen: DemoPod;
  readonly inventories: readonly DemoPod[];
  readonly stranger: DemoPod;
}

export function castOf(status: DemoStatus): Cast {
  return {
    storefront: onlyPodOf(status, "shop", "storefront"),
    loadgen: onlyPodOf(status, "shop", "loadgen"),
    inventories: podsOf(status, "shop", "inventory"),
    stranger: onlyPodOf(status, "outside", "stranger"),
  };
}

/** How one bout of calls went, seen from the caller and from the inventory's own processes. */
export interface Bout {
  readonly outcome: Outcome;
  /** Calls that reached the inventory's processes. */
  readonly reached: number;
  readonly reachedByPath: Readonly<Record<string, number>>;
  readonly reachedByPeer: Readonly<Record<string, number>>;
  /** By the server's address: the mTLS identities of the calls that reached it. */
  readonly identities: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

const STOREFRONT = "http://storefront.shop/";
const CONCURRENCY = 8;

export class Measures {
  private readonly controls: Controls;
  private readonly cast: Cast;

  constructor(controls: Controls, cast: Cast) {
    this.controls = controls;
    this.cast = cast;
  }

  /** The load generator calls the storefront, which calls the inventory at `path` and passes on its status. */
  async throughStorefront(path: "stock" | "admin", count: number): Promise<Bout> {
    await this.controls.renew(this.cast.storefront.ip);
    return this.bout(this.cast.loadgen, `${STOREFRONT}${path}`, count);
  }

  /** A pod that policy keeps out calls the inventory itself. */
  direct(caller: DemoPod, count: number): Promise<Bout> {
    return this.bout(caller, "http://inventory.shop:8080/stock/item-1", count);
  }

  async failEvery(nth: number): Promise<void> {
    await Promise.all(this.cast.inventories.map((pod) => this.controls.fail(pod.ip, nth)));
  }

  private async bout(caller: DemoPod, url: string, count: number): Promise<Bout> {
    const { inventories } = this.cast;
    await Promise.all(inventories.map((pod) => this.controls.forget(pod.ip)));
    const outcome = await this.controls.run(caller.ip, url, count, CONCURRENCY);
    const counts = await Promise.all(inventories.map((pod) => this.controls.counts(pod.ip)));
    return {
      outcome,
      reached: counts.reduce((sum, { seen }) => sum + seen.total, 0),
      reachedByPath: added(counts.map(({ seen }) => seen.byPath)),
      reachedByPeer: added(counts.map(({ seen }) => seen.byPeer)),
      identities: Object.fromEntries(inventories.map(({ ip }, index) => [ip, counts[index]?.seen.byIdentity ?? {}])),
    };
  }
}

/** Adds up the counts of each name. */
export function added(records: readonly Readonly<Record<string, number>>[]): Readonly<Record<string, number>> {
  const sum: Record<string, number> = {};
  for (const record of records) {
    for (const [key, value] of Object.entries(record)) sum[key] = (sum[key] ?? 0) + value;
  }
  return sum;
}

export function sent({ statuses }: Outcome): number {
  return Object.values(statuses).reduce((sum, count) => sum + count, 0);
}

/** Share of the requests that were answered with this status, 0–1. */
export function share(outcome: Outcome, status: number): number {
  const all = sent(outcome);
  return all === 0 ? 0 : (outcome.statuses[status] ?? 0) / all;
}
