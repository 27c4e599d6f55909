import { groupBy } from "../../lib/group-by.ts";
import type { ObjectRef } from "../../model/object-ref.ts";
import type { Problem } from "../../model/problem.ts";
import type { RawObject } from "../../objects/raw-object.ts";

/** Reads a set of objects, each with a key of its own. */
export type Judge<T> = (objects: readonly RawObject[]) => T & { readonly problems: readonly Problem[] };

export interface Settled<T> {
  readonly value: T & { readonly problems: readonly Problem[] };
  readonly chosen: ReadonlyMap<string, RawObject>;
  /** Which of those chosen have errors. */
  readonly broken: ReadonlySet<ObjectRef>;
  /** Problems of the versions that were passed over, by key. */
  readonly refused: ReadonlyMap<string, readonly Problem[]>;
}

/** Their errors may come from objects that they refer to, so that these are settled first. */
const DEPENDENT = new Set(["HTTPRoute", "AuthorizationPolicy", "RequestAuthentication", "XBackendTrafficPolicy"]);

/**
 * In so many rounds objects of one namespace may go on to their next version. Objects with several definitions, and others that
 * refer to them, need ten.
 */
const MAX_ROUNDS = 10;

/**
 * Finds for each key its first candidate without errors; where all have some, the first counts.
 *
 * One version may be in order only as long as another one is not there. Who writes a long chain of those would have everything
 * read once for each object, at each change of anybody. So a namespace has a number of rounds; then its objects stay as they are.
 */
export function settle<T>(candidates: ReadonlyMap<string, readonly RawObject[]>, judge: Judge<T>): Settled<T> {
  const place = new Map<string, number>();
  const refused = new Map<string, Problem[]>();
  const hopeless = new Set<string>();
  const rounds = new Map<string, number>();
  for (;;) {
    const chosen = new Map<string, RawObject>();
    for (const [key, list] of candidates) {
      const object = list[place.get(key) ?? 0];
      if (object !== undefined) chosen.set(key, object);
    }
    const value = judge([...chosen.values()]);
    const broken = brokenOf(value.problems);
    const stuck = [...chosen].filter(
      ([key, object]) =>
        broken.has(object) &&
        (candidates.get(key)?.length ?? 0) > 1 &&
        !hopeless.has(key) &&
        (rounds.get(object.namespace) ?? 0) < MAX_ROUNDS,
    );
    if (stuck.length === 0) return { value, chosen, broken, refused };
    const first = stuck.filter(([, { kind }]) => !DEPENDENT.has(kind));
    const moving = first.length > 0 ? first : stuck;
    for (const namespace of new Set(moving.map(([, object]) => object.namespace)))
      rounds.set(namespace, (rounds.get(namespace) ?? 0) + 1);
    const problemsOf = groupBy(value.problems, ({ subject }) => subject);
    for (const [key, object] of moving) {
      const next = (place.get(key) ?? 0) + 1;
      if (next < (candidates.get(key)?.length ?? 0)) {
        place.set(key, next);
        refused.set(key, [...(refused.get(key) ?? []), ...(problemsOf.get(object) ?? [])]);
      } else {
        place.set(key, 0);
        hopeless.add(key);
        refused.delete(key);
      }
    }
  }
}

function brokenOf(problems: readonly Problem[]): ReadonlySet<ObjectRef> {
  return new Set(
    problems.flatMap(({ severity, subject }) => (severity === "error" && subject !== undefined ? [subject] : [])),
  );
}
