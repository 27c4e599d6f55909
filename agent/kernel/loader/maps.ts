import { closeSync } from "node:fs";
import * as commands from "./commands.ts";
import { SystemCallError } from "./syscall.ts";

/** How a key or a value lies in memory. */
export interface Codec<T> {
  readonly size: number;
  encode(value: T): Buffer;
  decode(bytes: Buffer): T;
}

/** Elements per system call: what fits easily into memory. */
const BATCH = 4096;

/** A hash or array map in the kernel, typed. Errors are `SystemCallError`s. */
export class BpfMap<K, V> {
  readonly fd: number;
  readonly #key: Codec<K>;
  readonly #value: Codec<V>;

  constructor(fd: number, key: Codec<K>, value: Codec<V>) {
    this.fd = fd;
    this.#key = key;
    this.#value = value;
  }

  get(key: K): V | undefined {
    const value = Buffer.alloc(this.#value.size);
    return commands.lookupElement(this.fd, this.#key.encode(key), value) ? this.#value.decode(value) : undefined;
  }

  set(key: K, value: V): void {
    commands.updateElement(this.fd, this.#key.encode(key), this.#value.encode(value));
  }

  /** False if there was nothing to delete. */
  delete(key: K): boolean {
    return commands.deleteElement(this.fd, this.#key.encode(key));
  }

  setAll(entries: readonly (readonly [K, V])[]): void {
    for (const part of chunks(entries)) {
      const keys = Buffer.concat(part.map(([key]) => this.#key.encode(key)));
      const values = Buffer.concat(part.map(([, value]) => this.#value.encode(value)));
      commands.updateBatch(this.fd, keys, values, part.length);
    }
  }

  /** Keys that are not there are passed over. */
  deleteAll(keys: readonly K[]): void {
    for (const part of chunks(keys)) {
      try {
        commands.deleteBatch(this.fd, Buffer.concat(part.map((key) => this.#key.encode(key))), part.length);
      } catch (error) {
        if (!(error instanceof SystemCallError) || error.code !== "ENOENT") throw error;
        for (const key of part) this.delete(key);
      }
    }
  }

  /** Every element; one that is changed meanwhile may be missed or seen twice. */
  *entries(): Generator<readonly [K, V]> {
    let key: Buffer | undefined;
    for (;;) {
      const next = Buffer.alloc(this.#key.size);
      if (!commands.nextKey(this.fd, key, next)) return;
      const value = Buffer.alloc(this.#value.size);
      if (commands.lookupElement(this.fd, next, value)) yield [this.#key.decode(next), this.#value.decode(value)];
      key = next;
    }
  }

  close(): void {
    closeSync(this.fd);
  }
}

function* chunks<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < all.length; start += BATCH) yield all.slice(start, start + BATCH);
}
