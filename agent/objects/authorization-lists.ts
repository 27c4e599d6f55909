import type { Reader } from "./reader.ts";

/** A list's entries. An empty one is an error: whether it stands for everything or for nothing is anybody's guess. */
export function filled(list: Reader): readonly Reader[] {
  const items = list.items();
  if (Array.isArray(list.raw) && items.length === 0) {
    list.invalid("empty-value", "the list is empty", "Put into it what is asked for; without the field nothing is.");
  }
  return items;
}
