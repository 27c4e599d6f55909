import type { Problem } from "../model/problem.ts";
import { describePlace } from "../model/object-ref.ts";
import { Notes } from "./notes.ts";
import { byPrecedence, objectKey, placeOf, type RawObject } from "./raw-object.ts";

/**
 * Keeps one object for each key: the one in the last folder, and within a folder the first one (by file, then place).
 * Reports the others of that folder. The order of the result does not depend on the order of the input.
 */
export function mergeObjects(objects: readonly RawObject[], problems: Problem[]): readonly RawObject[] {
  const chosen = new Map<string, RawObject>();
  for (const object of byPrecedence(objects)) {
    const key = objectKey(object);
    const first = chosen.get(key);
    if (first === undefined) chosen.set(key, object);
    else if (first.origin.layer === object.origin.layer) {
      new Notes(object, problems).add("error", [], {
        code: "duplicate-object",
        reason: `the object is also defined in ${describePlace(placeOf(first.origin))}, and that definition counts`,
        remedy: "Remove one of them, or give it another name.",
      });
    }
  }
  return [...chosen.values()];
}
