import { SYSTEM_CLOCK, type Clock } from "../../lib/clock.ts";
import { describePlace, type ObjectRef } from "../../model/object-ref.ts";
import type { Problem } from "../../model/problem.ts";
import { Ages, type KnownAges } from "./ages.ts";
import { Notes } from "../../objects/notes.ts";
import { objectKey, placeOf, type RawObject } from "../../objects/raw-object.ts";
import { settle, type Judge, type Settled } from "./settle.ts";
import { byKey, candidatesOf, sameContent, type Version } from "./candidates.ts";

export interface Choice<T> {
  readonly value: T;
  readonly objects: readonly RawObject[];
  readonly problems: readonly Problem[];
  /** Versions that count although no file holds them any more. */
  readonly held: readonly Version[];
}

/**
 * Chooses which version of each object counts. An object that was valid and is broken now keeps its last good version.
 * So does an object that is gone from a file with a new error: the broken part may be that object. An object that is
 * gone from a valid file, or gone with its file, is removed. An object that was never valid is read as far as possible.
 */
export class LastGood {
  readonly #good: Map<string, Version>;
  readonly #clock: Pick<Clock, "now">;
  /** How many faults each file had when its missing objects were last taken for removed. */
  readonly #tolerated = new Map<string, number>();
  readonly #ages: Ages;

  /** `known` and `ages`: what the process before kept. */
  constructor(known: readonly Version[] = [], clock: Pick<Clock, "now"> = SYSTEM_CLOCK, ages?: KnownAges) {
    this.#good = new Map(known.map((version) => [objectKey(version.object), version]));
    this.#clock = clock;
    this.#ages = new Ages(ages);
  }

  /** Since when objects are there. */
  get ages(): KnownAges {
    return this.#ages.known;
  }

  /** `faults`: for each file, how many of its parts cannot be identified as an object. */
  choose<T>(objects: readonly RawObject[], faults: ReadonlyMap<string, number>, judge: Judge<T>): Choice<T> {
    const time = `${new Date(this.#clock.now()).toISOString().slice(0, 19)}Z`;
    const groups = byKey(this.#ages.stamp(objects, time, this.#good), this.#good);
    const candidates = candidatesOf(groups, this.#good);
    let settled = settle(candidates, judge);
    const missing = this.#missing(groups, faults, settled);
    if (missing.length > 0) {
      for (const { object } of missing) candidates.set(objectKey(object), [object]);
      settled = settle(candidates, judge);
    }
    const replaced = [...settled.chosen].flatMap(([key, object]) => {
      const version = this.#good.get(key);
      return version?.object === object && groups.get(key)?.includes(object) === false ? [version] : [];
    });
    const old = new Set<ObjectRef>([...missing, ...replaced].map(({ object }) => object));
    const problems = [
      // Line numbers of a version that no file holds any more would mislead.
      ...settled.value.problems.filter(({ subject }) => subject === undefined || !old.has(subject)),
      ...[...settled.refused.values()].flat(),
      ...[...groups].flatMap(([key, group]) => twins(group, settled.chosen.get(key))),
      ...replaced.map(({ object, since }) => replacedProblem(groups.get(objectKey(object))?.[0] ?? object, since)),
      ...missing.map(missingProblem),
    ];
    this.#remember(settled, time);
    return {
      value: settled.value,
      objects: [...settled.chosen.values()],
      problems,
      held: [...replaced, ...missing],
    };
  }

  /** Versions that stay although no file holds them any more. Forgets the objects that were removed. */
  #missing(
    groups: ReadonlyMap<string, readonly RawObject[]>,
    faults: ReadonlyMap<string, number>,
    { chosen, broken }: Settled<unknown>,
  ): readonly Version[] {
    const now = new Map(faults);
    for (const [key, object] of chosen) {
      const { file } = object.origin;
      if (broken.has(object) && !this.#good.has(key)) now.set(file, (now.get(file) ?? 0) + 1);
    }
    const gone = [...this.#good].filter(([key]) => !groups.has(key));
    const kept = gone.filter(([, { object }]) => {
      const { file } = object.origin;
      return (now.get(file) ?? 0) > (this.#tolerated.get(file) ?? 0);
    });
    const waiting = new Set(kept.map(([, { object }]) => object.origin.file));
    for (const [key, { object }] of gone) if (!waiting.has(object.origin.file)) this.#good.delete(key);
    for (const file of this.#tolerated.keys()) if (!faults.has(file)) this.#tolerated.delete(file);
    for (const [file, count] of now) if (faults.has(file) && !waiting.has(file)) this.#tolerated.set(file, count);
    return kept.map(([, version]) => version);
  }

  #remember({ chosen, broken }: Settled<unknown>, time: string): void {
    for (const [key, object] of chosen) {
      if (broken.has(object)) continue;
      const before = this.#good.get(key);
      const since = before !== undefined && sameContent(before.object, object) ? before.since : time;
      this.#good.set(key, { object, since });
    }
  }
}

function twins(group: readonly RawObject[], chosen: RawObject | undefined): readonly Problem[] {
  const problems: Problem[] = [];
  const holder = chosen !== undefined && group.includes(chosen) ? chosen : group[0];
  for (const object of group) {
    if (object === holder || holder === undefined) continue;
    new Notes(object, problems).add("error", ["metadata", "name"], {
      code: "duplicate-object",
      reason: `the object is also defined in ${describePlace(placeOf(holder.origin))}, and that definition counts`,
      remedy: "Remove one of them, or give it another name.",
    });
  }
  return problems;
}

function replacedProblem(written: RawObject, since: string): Problem {
  return {
    severity: "warning",
    code: "last-good-served",
    origin: placeOf(written.origin),
    subject: written,
    field: "",
    reason: `the object has errors: its last good version, of ${since}, is served`,
    remedy: "Correct the errors that are named for this object; the new version is then served at once.",
  };
}

function missingProblem({ object, since }: Version): Problem {
  return {
    severity: "warning",
    code: "last-good-served",
    origin: { file: object.origin.file },
    subject: object,
    field: "",
    reason: `the object is not in the file any more, and the file has an error or is empty: its last good version, of ${since}, is served`,
    remedy: "Correct the file. To remove the object, leave it out of a file without errors, or delete the file.",
  };
}
