interface Known<V> {
  readonly depends: readonly unknown[];
  readonly value: V;
}

/**
 * A cache of values that are derived from objects. A value stays while its object lives and its other inputs (`depends`) are
 * the same by identity. Little of a large mesh changes at a time, and sources keep the objects that did not change: so most
 * values are derived once. Results are the same without the cache.
 */
export class Remembered<K extends WeakKey, V> {
  readonly #known = new WeakMap<K, Map<string, Known<V>>>();

  /** `part`: names the value, where several values are derived from one object. */
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

/** Returns the last list again if the new list holds the same objects, so that lists can be compared by identity, too. */
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
