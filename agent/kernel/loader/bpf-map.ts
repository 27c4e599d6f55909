import { closeSync } from "node:fs";
import * as commands from "./bpf-commands.ts";
import { SystemCallError } from "./syscall.ts";

/** How a key or a value lies in memory, on little-endian machines. */
export interface Codec<T> {
  readonly size: number;
  encode(value: T): Buffer;
  decode(bytes: Buffer): T;
}

export const u32: Codec<number> = {
  size: 4,
  encode: (value) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes;
  },
  decode: (bytes) => bytes.readUInt32LE(),
};

export const u64: Codec<bigint> = {
  size: 8,
  encode: (value) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(value);
    return bytes;
  },
  decode: (bytes) => bytes.readBigUInt64LE(),
};

/** A structure as its bytes. */
export function raw(size: number): Codec<Buffer> {
  return { size, encode: (value) => value, decode: (bytes) => bytes };
}

/** Elements in one system call: the kernel copies them all at once, so they have to fit into memory easily. */
const BATCH = 4096;

/** A hash or array map in the kernel, with types. All methods throw `SystemCallError`. */
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

  /** Returns false if the map did not have the key. */
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

  /** Ignores keys that the map does not have. */
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

  /** All elements. One that changes meanwhile may be missing or come twice. */
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
