/**
 * A map whose keys are known and whose values are made when they are first looked up. So a large mesh costs a node what it
 * asks for, not what there is.
 */
export class LazyMap<K, V> implements ReadonlyMap<K, V> {
  readonly #makers: ReadonlyMap<K, () => V>;
  readonly #made = new Map<K, V>();

  constructor(makers: Iterable<readonly [K, () => V]>) {
    this.#makers = new Map(makers);
  }

  get size(): number {
    return this.#makers.size;
  }

  has(key: K): boolean {
    return this.#makers.has(key);
  }

  get(key: K): V | undefined {
    const made = this.#made.get(key);
    if (made !== undefined) return made;
    const make = this.#makers.get(key);
    if (make === undefined) return undefined;
    const value = make();
    this.#made.set(key, value);
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
