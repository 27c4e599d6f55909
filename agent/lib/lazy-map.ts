/**
 * A map that makes a value at the first look-up, so that a node pays for the part of a large mesh that it asks for. `makers`
 * lists the keys. `other` makes values for further keys: `has` and `get` find them, while `size`, `keys` and iteration leave
 * them out.
 */
export class LazyMap<K, V> implements ReadonlyMap<K, V> {
  readonly #makers: ReadonlyMap<K, () => V>;
  readonly #other: (key: K) => V | undefined;
  readonly #made = new Map<K, V>();

  constructor(makers: Iterable<readonly [K, () => V]>, other: (key: K) => V | undefined = () => undefined) {
    this.#makers = new Map(makers);
    this.#other = other;
  }

  get size(): number {
    return this.#makers.size;
  }

  has(key: K): boolean {
    return this.#makers.has(key) || this.get(key) !== undefined;
  }

  get(key: K): V | undefined {
    const made = this.#made.get(key);
    if (made !== undefined) return made;
    const make = this.#makers.get(key);
    const value = make === undefined ? this.#other(key) : make();
    if (value !== undefined) this.#made.set(key, value);
    return value;
  }

  keys(): MapIterator<K> {
    return this.#makers.keys();
  }

  /** Makes every value. */
  entries(): MapIterator<[K, V]> {
    return this.#all().entries();
  }

  values(): MapIterator<V> {
    return this.#all().values();
  }

  forEach(callback: (value: V, key: K, map: ReadonlyMap<K, V>) => void): void {
    for (const [key, value] of this.entries()) callback(value, key, this);
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries();
  }

  #all(): Map<K, V> {
    const all = new Map<K, V>();
    for (const [key, make] of this.#makers) {
      const value = this.#made.get(key) ?? make();
      this.#made.set(key, value);
      all.set(key, value);
    }
    return all;
  }
}
