/** The module's memory as its host reads and writes it. A view is taken anew each time: memory that grows moves. */
export class HostMemory {
  readonly #memory: WebAssembly.Memory;
  readonly #malloc: (size: number) => number;

  constructor(memory: WebAssembly.Memory, malloc: (size: number) => number) {
    this.#memory = memory;
    this.#malloc = malloc;
  }

  get size(): number {
    return this.#memory.buffer.byteLength;
  }

  bytes(pointer: number, size: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, pointer, size).slice();
  }

  text(pointer: number, size: number): string {
    return Buffer.from(this.bytes(pointer, size)).toString("utf8");
  }

  putU32(pointer: number, value: number): void {
    new DataView(this.#memory.buffer).setUint32(pointer, value, true);
  }

  putU64(pointer: number, value: bigint): void {
    new DataView(this.#memory.buffer).setBigUint64(pointer, value, true);
  }

  /** Copies bytes into memory that the module allocates, and tells it where and how many. */
  give(bytes: Uint8Array, pointer: number, size: number): void {
    const target = bytes.length === 0 ? 0 : this.#malloc(bytes.length);
    if (bytes.length > 0) new Uint8Array(this.#memory.buffer, target, bytes.length).set(bytes);
    this.putU32(pointer, target);
    this.putU32(size, bytes.length);
  }
}
