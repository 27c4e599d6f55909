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

/** Finds for each key its first candidate without errors; where all have some, the first counts. */
export function settle<T>(candidates: ReadonlyMap<string, readonly RawObject[]>, judge: Judge<T>): Settled<T> {
  const place = new Map<string, number>();
  const refused = new Map<string, Problem[]>();
  const hopeless = new Set<string>();
  for (;;) {
    const chosen = new Map<string, RawObject>();
    for (const [key, list] of candidates) {
      const object = list[place.get(key) ?? 0];
      if (object !== undefined) chosen.set(key, object);
    }
    const value = judge([...chosen.values()]);
    const broken = brokenOf(value.problems);
    const stuck = [...chosen].filter(
      ([key, object]) => broken.has(object) && (candidates.get(key)?.length ?? 0) > 1 && !hopeless.has(key),
    );
    if (stuck.length === 0) return { value, chosen, broken, refused };
    const first = stuck.filter(([, { kind }]) => !DEPENDENT.has(kind));
    for (const [key, object] of first.length > 0 ? first : stuck) {
      const next = (place.get(key) ?? 0) + 1;
      if (next < (candidates.get(key)?.length ?? 0)) {
        place.set(key, next);
        const found = value.problems.filter(({ subject }) => subject === object);
        refused.set(key, [...(refused.get(key) ?? []), ...found]);
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
