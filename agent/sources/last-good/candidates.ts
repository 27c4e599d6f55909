import { byPrecedence, objectKey, type RawObject } from "../../objects/raw-object.ts";

/** A version of an object that had no errors when it was read. */
export interface Version {
  readonly object: RawObject;
  /** RFC 3339: when the object got this content. */
  readonly since: string;
}

/** At most this many definitions of one object are tried until one has no errors. */
const MAX_TWINS = 4;

/**
 * For each key the objects of the last layer that has any, in the order of precedence: first the one in the file that
 * held the object before, then by file and place.
 */
export function byKey(
  objects: readonly RawObject[],
  good: ReadonlyMap<string, Version>,
): ReadonlyMap<string, readonly RawObject[]> {
  const groups = new Map<string, RawObject[]>();
  for (const object of byPrecedence(objects)) {
    const key = objectKey(object);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [object]);
    else if (group[0]?.origin.layer === object.origin.layer) group.push(object);
  }
  for (const [key, group] of groups) {
    if (group.length === 1) continue;
    const home = good.get(key)?.object.origin.file;
    const sorted = [...group].sort((a, b) => Number(b.origin.file === home) - Number(a.origin.file === home));
    groups.set(key, sorted);
  }
  return groups;
}

/** The versions to try for each key, in this order: the written ones, then the last good one. */
export function candidatesOf(
  groups: ReadonlyMap<string, readonly RawObject[]>,
  good: ReadonlyMap<string, Version>,
): Map<string, readonly RawObject[]> {
  return new Map(
    [...groups].map(([key, written]) => {
      const tried = written.slice(0, MAX_TWINS);
      const last = good.get(key);
      const known = last === undefined || written.some((object) => sameContent(object, last.object));
      return [key, known ? tried : [...tried, last.object]];
    }),
  );
}

const texts = new WeakMap<RawObject, string>();

export function sameContent(a: RawObject, b: RawObject): boolean {
  return a === b || contentOf(a) === contentOf(b);
}

function contentOf(object: RawObject): string {
  const known = texts.get(object);
  if (known !== undefined) return known;
  const text = JSON.stringify([object.version, object.value]);
  texts.set(object, text);
  return text;
}
