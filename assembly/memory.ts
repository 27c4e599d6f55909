/** Where the host writes what it answers: [0] pointer, [4] length, [8] a number. Static, so that no call allocates. */
export const OUT: usize = memory.data(16, 8);

/** The host asks for room for what it answers; `take` lets it go again. */
export function malloc(size: i32): usize {
  return __pin(changetype<usize>(new ArrayBuffer(size)));
}

/** What the host has just written: an ArrayBuffer that `malloc` has made. */
export function take(): ArrayBuffer {
  const pointer = load<usize>(OUT);
  if (pointer == 0 || load<u32>(OUT, 4) == 0) return new ArrayBuffer(0);
  const buffer = changetype<ArrayBuffer>(pointer);
  __unpin(pointer);
  return buffer;
}

/** A name in UTF-8, encoded once and used for many calls. */
export class Key {
  readonly bytes: ArrayBuffer;

  constructor(name: string) {
    this.bytes = String.UTF8.encode(name);
  }

  @inline get pointer(): usize {
    return changetype<usize>(this.bytes);
  }

  @inline get size(): usize {
    return this.bytes.byteLength;
  }

  /** The path of a property: its parts divided by NUL, as the ABI has it. */
  static path(parts: string[]): Key {
    return new Key(parts.join("\0"));
  }
}
