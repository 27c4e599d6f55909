/** Where the host writes its answers: [0] pointer, [4] length, [8] a number. Static, so that no call allocates. */
export const OUT: usize = memory.data(16, 8);

// The host's answers during one callback, one after the other. The next callback overwrites them. So an answer that is
// only read
// costs no allocation and no collection.
const ROOM: usize = 65_536;
const ANSWERS: usize = memory.data(65_536, 16);
let used: usize = 0;

/** Answers that were too large for the buffer: the first 8 bytes of each point to the one before. */
let large: usize = 0;

/** The host asks for memory for its answer. */
export function malloc(size: i32): usize {
  const wanted = (<usize>size + 15) & ~15;
  if (wanted <= ROOM - used) {
    const pointer = ANSWERS + used;
    used += wanted;
    return pointer;
  }
  const block = heap.alloc(<usize>size + 16);
  store<usize>(block, large);
  large = block;
  return block + 16;
}

/** Memory for what a callback makes out of a request. It is no garbage: it is free again when the next callback begins. */
export function scratch(size: usize): usize {
  return malloc(<i32>size);
}

/** Call it at the beginning of a callback: it forgets the answers of the callback before. */
export function forgetAnswers(): void {
  used = 0;
  while (large != 0) {
    const before = load<usize>(large);
    heap.free(large);
    large = before;
  }
}

/** Address of the host's answer to the last call, valid until the callback ends. */
export function answerStart(): usize {
  return load<usize>(OUT);
}

export function answerSize(): usize {
  return load<u32>(OUT, 4);
}

/** A copy of the host's answer to the last call. */
export function take(): ArrayBuffer {
  return copyOf(answerStart(), answerSize());
}

export function copyOf(start: usize, size: usize): ArrayBuffer {
  const buffer = new ArrayBuffer(<i32>size);
  memory.copy(changetype<usize>(buffer), start, size);
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

  /** The path of a property: its parts divided by NUL, as the ABI asks. */
  static path(parts: string[]): Key {
    return new Key(parts.join("\0"));
  }
}
