import { groupBy } from "../../lib/group-by.ts";
import type { ObjectMeta } from "../../model/meta.ts";
import type { Problem } from "../../model/problem.ts";
import { DEFAULT_SERIES_LIMITS } from "../../model/series-limits.ts";
import type { FilterCheck } from "../view/options.ts";
import type { PlaceConfig } from "./filter-extensions.ts";

/** A part of the filters' configuration, and the object that it is made of. */
export interface Written<T> {
  readonly told: T;
  readonly by: ObjectMeta;
}

/** A configuration that has these parts and nothing else. */
type Alone<T> = (parts: readonly T[]) => Partial<PlaceConfig>;

/** By the text of a configuration: why the filters refuse it; undefined: they take it. */
export interface CheckMemory {
  verdicts: ReadonlyMap<string, string | undefined>;
}

/**
 * Asks the filters' own reader about each part that is made of somebody's objects, before it is published: of a configuration with
 * one part that they cannot read, the filters take nothing, and then no policy of the node changes any more. Several parts are
 * asked about together, those of one namespace. Verdicts are kept until the next time, so that only what changed is asked
 * about again.
 */
export class PartCheck {
  /** What has been left out, for `report`. */
  readonly problems: Problem[] = [];
  readonly #check: FilterCheck | undefined;
  readonly #known: CheckMemory["verdicts"];
  readonly #now = new Map<string, string | undefined>();
  readonly #reported = new Map<ObjectMeta, Set<string>>();

  constructor(check: FilterCheck | undefined, memory: CheckMemory) {
    this.#check = check;
    this.#known = memory.verdicts;
    memory.verdicts = this.#now;
  }

  /** The parts that the filters refuse, and why. */
  refused<P extends Written<unknown>>(parts: readonly P[], alone: Alone<P["told"]>): ReadonlyMap<P, string> {
    const refused = new Map<P, string>();
    const check = this.#check;
    if (check === undefined) return refused;
    const examine = (some: readonly P[]): void => {
      const text = JSON.stringify({ ...NOTHING, ...alone(some.map(({ told }) => told)) });
      const [only, ...others] = some;
      if (only === undefined) return;
      const isOne = others.length === 0;
      if (isOne || text.length <= MAX_TEXT) {
        const reason = this.#ask(text, check);
        if (reason === undefined) return;
        if (isOne) {
          refused.set(only, reason);
          return;
        }
      }
      const half = some.length >> 1;
      examine(some.slice(0, half));
      examine(some.slice(half));
    };
    for (const list of groupBy(parts, ({ by }) => by.namespace).values()) {
      for (let from = 0; from < list.length; from += TOGETHER) examine(list.slice(from, from + TOGETHER));
    }
    return refused;
  }

  /** The parts that the filters take. The others are left out and reported; `loss`: what comes of that. */
  readable<T>(parts: readonly Written<T>[], alone: Alone<T>, loss: string): readonly T[] {
    const refused = this.refused(parts, alone);
    for (const [{ by }, reason] of refused) this.report(by, reason, loss);
    return parts.flatMap((part) => (refused.has(part) ? [] : [part.told]));
  }

  /** `loss`: what the object loses. An object that loses the same for several parts is named once. */
  report(by: ObjectMeta, reason: string, loss: string): void {
    const losses = this.#reported.get(by) ?? new Set();
    if (losses.has(loss)) return;
    this.#reported.set(by, losses.add(loss));
    this.problems.push({
      severity: "error",
      code: REFUSED_BY_FILTERS,
      origin: by.origin,
      subject: by,
      field: "",
      reason: `the filters cannot read what they would be told of it (${reason}): ${loss}`,
      remedy: "Report this: it is a fault of Ambit. Until it is mended, write the object in another way.",
    });
  }

  #ask(text: string, check: FilterCheck): string | undefined {
    const verdict = this.#known.has(text) ? this.#known.get(text) : check(text);
    this.#now.set(text, verdict);
    return verdict;
  }
}

/** The code of all problems that `PartCheck` finds. */
export const REFUSED_BY_FILTERS = "refused-by-filters";

/** So many parts are asked about together, if they have no more characters than this. */
const TOGETHER = 64;
const MAX_TEXT = 128 << 10;

const NOTHING: PlaceConfig = {
  cluster: "",
  firstByteMs: 0,
  series: DEFAULT_SERIES_LIMITS,
  policySets: [],
  jwtRules: [],
  clusters: [],
  pods: [],
  unguarded: [],
  peers: [],
  retryBudgets: [],
};
