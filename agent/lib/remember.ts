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
  readonly #known = new WeakMap<K, Known<V>>();

  get(key: K, depends: readonly unknown[], make: () => V): V {
    const known = this.#known.get(key);
    if (known !== undefined && isSame(known.depends, depends)) return known.value;
    const value = make();
    this.#known.set(key, { depends, value });
    return value;
  }
}

function isSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}
