import { readdirSync } from "node:fs";
import { SYSTEM_CLOCK, type Clock } from "../lib/clock.ts";
import { askUnix } from "../lib/unix-http.ts";
import { descriptorLimit } from "./descriptors.ts";

/** A limit on what strangers send that was reached a short while ago. */
export interface LimitReached {
  readonly limit: LimitName;
  /** How often since the start of this Envoy. */
  readonly times: number;
  /** RFC 3339: when this was last seen. */
  readonly last: string;
}

/** docs/security.md explains each of them. */
export type LimitName =
  | "pod-connections"
  | "strangers"
  | "node-connections"
  | "heap"
  | "descriptors"
  | "direct-ports"
  | "series"
  | "first-byte";

/** A limit is told of for so long after it was last reached. */
const TELL_MS = 10 * 60_000;
const TIMEOUT_MS = 2_000;
/** From this part of its descriptors on Envoy may soon have none. */
const FEW_DESCRIPTORS = 0.9;

/** The statistics that count what a limit cut off. */
const COUNTERS: readonly (readonly [limit: LimitName, statistic: RegExp])[] = [
  ["pod-connections", /^listener\.(?:in|out)bound[a-z_]*\.downstream_cx_overflow$/u],
  ["strangers", /^connection_limit\.strangers\.limited_connections$/u],
  ["node-connections", /^listener\.(?:in|out)bound[a-z_]*\.downstream_(?:global_cx_overflow|cx_overload_reject)$/u],
  ["series", /^wasmcustom\.ambit_grouped_series_total\|/u],
  ["first-byte", /^wasmcustom\.ambit_silent_connections_total$/u],
  ["heap", /overload_actions\.reset_high_memory_stream\.count$/u],
];
const FILTER = encodeURIComponent(
  "_cx_overflow$|_overload_reject$|^connection_limit\\.|overload_actions.*\\.count$|^wasmcustom\\.ambit_(?:grouped|silent)_",
);

export interface LimitSources {
  readonly adminSocket: string;
  readonly pid: () => number | undefined;
  readonly refusedPorts: () => number;
  readonly clock?: Pick<Clock, "now">;
}

/** Remembers which limits were reached, as Envoy's statistics tell. Call `look` every so often. */
export class LimitsReached {
  readonly #sources: LimitSources;
  readonly #clock: Pick<Clock, "now">;
  readonly #seen = new Map<LimitName, { times: number; lastMs: number | undefined }>();
  #descriptors = 0;

  constructor(sources: LimitSources) {
    this.#sources = sources;
    this.#clock = sources.clock ?? SYSTEM_CLOCK;
  }

  async look(): Promise<void> {
    const { adminSocket, refusedPorts } = this.#sources;
    this.#note("direct-ports", refusedPorts());
    this.#lookAtDescriptors();
    const path = `/stats?format=json&usedonly&filter=${FILTER}`;
    const { body } = await askUnix(adminSocket, path, { timeoutMs: TIMEOUT_MS });
    const { stats = [] } = JSON.parse(body) as {
      readonly stats?: readonly { readonly name?: string; readonly value?: number }[];
    };
    for (const [limit, statistic] of COUNTERS) {
      const times = stats
        .filter(({ name = "" }) => statistic.test(name))
        .reduce((sum, { value = 0 }) => sum + value, 0);
      this.#note(limit, times);
    }
  }

  /** Those that were reached within the last ten minutes. */
  recent(): readonly LimitReached[] {
    return [...this.#seen].flatMap(([limit, { times, lastMs }]) =>
      lastMs === undefined || this.#clock.now() - lastMs > TELL_MS
        ? []
        : [{ limit, times, last: new Date(lastMs).toISOString() }],
    );
  }

  /** How often each limit was reached since the start of this Envoy. */
  counts(): ReadonlyMap<LimitName, number> {
    return new Map([...this.#seen].map(([limit, { times }]) => [limit, times]));
  }

  get descriptors(): number {
    return this.#descriptors;
  }

  #lookAtDescriptors(): void {
    const pid = this.#sources.pid();
    try {
      this.#descriptors = pid === undefined ? 0 : readdirSync(`/proc/${pid}/fd`).length;
    } catch {
      this.#descriptors = 0;
    }
    const before = this.#seen.get("descriptors")?.times ?? 0;
    const isFull = this.#descriptors > FEW_DESCRIPTORS * descriptorLimit();
    this.#note("descriptors", before + Number(isFull));
  }

  #note(limit: LimitName, times: number): void {
    const before = this.#seen.get(limit);
    // An Envoy that started anew counts from 0 again. What was reached before this agent started counts as reached now.
    const isMore = times > (before === undefined || times < before.times ? 0 : before.times);
    this.#seen.set(limit, { times, lastMs: isMore ? this.#clock.now() : before?.lastMs });
  }
}
