import { copyOf, noteGarbage } from "../assembly/index";
import { areEqual, hashOf } from "./bytes";

/** Enough for the workloads that one node talks to. When the map is full, it starts empty again. */
const MAX = 10_000;

class Entry<T> {
  next: Entry<T> | null = null;

  constructor(
    readonly hash: u32,
    readonly key: ArrayBuffer,
    readonly value: T,
  ) {}
}

/** A map whose keys are bytes anywhere in memory: a look-up decodes and allocates nothing. */
export class ByteMap<T> {
  private buckets: StaticArray<Entry<T> | null> = new StaticArray<Entry<T> | null>(64);
  size: i32 = 0;

  find(start: usize, size: usize): T | null {
    const hashed = hashOf(start, size);
    let entry = this.buckets[hashed & (this.buckets.length - 1)];
    while (entry !== null) {
      if (
        entry.hash == hashed &&
        <usize>entry.key.byteLength == size &&
        areEqual(changetype<usize>(entry.key), start, size)
      )
        return entry.value;
      entry = entry.next;
    }
    return null;
  }

  /** Adds an entry that is not there yet. The map keeps the key. */
  add(key: ArrayBuffer, value: T): void {
    if (this.size >= this.buckets.length) this.grow();
    this.link(new Entry<T>(hashOf(changetype<usize>(key), key.byteLength), key, value));
    this.size++;
  }

  clear(): void {
    this.buckets = new StaticArray<Entry<T> | null>(64);
    this.size = 0;
  }

  private link(entry: Entry<T>): void {
    const bucket = entry.hash & (this.buckets.length - 1);
    entry.next = this.buckets[bucket];
    this.buckets[bucket] = entry;
  }

  private grow(): void {
    const old = this.buckets;
    this.buckets = new StaticArray<Entry<T> | null>(old.length << 1);
    for (let i = 0; i < old.length; i++) {
      let entry = old[i];
      while (entry !== null) {
        const next = entry.next;
        this.link(entry);
        entry = next;
      }
    }
  }
}

/** Values made from texts that come again and again. */
export class Interned<T> {
  private readonly known: ByteMap<T> = new ByteMap<T>();
  private ids: u32 = 0;

  constructor(
    private readonly make: (text: string, id: u32) => T,
    /** The value of no text. */
    private readonly nothing: T,
  ) {}

  of(start: usize, size: usize): T {
    if (size == 0) return this.nothing;
    const known = this.known.find(start, size);
    return known === null ? this.add(start, size) : known;
  }

  private add(start: usize, size: usize): T {
    if (this.known.size >= MAX) this.known.clear();
    // Its text, and the parts of that text.
    noteGarbage(size * 16);
    const value = this.make(String.UTF8.decodeUnsafe(start, size), ++this.ids);
    this.known.add(copyOf(start, size), value);
    return value;
  }
}
