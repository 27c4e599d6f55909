import { compareAge, type ObjectMeta } from "../model/meta.ts";
import type { Problem } from "../model/problem.ts";
import { Notes } from "./notes.ts";
import { readMeta } from "./object-meta.ts";
import type { RawObject } from "./raw-object.ts";
import { Reader } from "./reader.ts";

/** An object whose name and namespace are in order. */
export interface NamedObject {
  readonly object: RawObject;
  readonly notes: Notes;
  readonly meta: ObjectMeta;
}

/** In the order in which objects count against a limit (`Tally`), and in which conflicts are decided. */
export function oldestFirst(objects: readonly RawObject[], problems: Problem[]): readonly NamedObject[] {
  const named = objects.flatMap((object): readonly NamedObject[] => {
    const notes = new Notes(object, problems);
    const meta = readMeta(new Reader(object.value, notes), object);
    return meta === undefined ? [] : [{ object, notes, meta }];
  });
  return named.toSorted((a, b) => compareAge(a.meta, b.meta));
}
