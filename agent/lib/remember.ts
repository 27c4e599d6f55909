interface Known<V> {
  readonly depends: readonly unknown[];
  readonly value: V;
}

/**
 * Remembers what was last made of an object, for as long as the object lives and what else it was made from is the same (by
 * identity). Of a large mesh little changes at a time: sources keep the objects that did not, and what is made of them is
 * kept here. Only a memory: the results are the same without it.
 */
export class Remembered<K extends WeakKey, V> {
  readonly #known = new WeakMap<K, Map<string, Known<V>>>();

  /** `part`: which of several things that are made of one object. */
  get(key: K, part: string, depends: readonly unknown[], make: () => V): V {
    let parts = this.#known.get(key);
    if (parts === undefined) this.#known.set(key, (parts = new Map<string, Known<V>>()));
    const known = parts.get(part);
    if (known !== undefined && isSame(known.depends, depends)) return known.value;
    const value = make();
    parts.set(part, { depends, value });
    return value;
  }
}

/** Gives the list it gave last where the new one holds the same objects, so that a list, too, is known by its identity. */
export class SameList<T> {
  #last: readonly T[] = [];

  of(list: readonly T[]): readonly T[] {
    if (!isSame(this.#last, list)) this.#last = list;
    return this.#last;
  }
}

function isSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}
