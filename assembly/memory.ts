/** Where the host writes what it answers: [0] pointer, [4] length, [8] a number. Static, so that no call allocates. */
export const OUT: usize = memory.data(24, 8);

// Most answers are short and are read at once. They are written into one static place: no garbage is made of them.
const ROOM: i32 = 4096;
const room: usize = memory.data(4096, 16);

/**
 * The host asks for room for what it answers, once for each call that answers bytes. What is written there is good until
 * the next such call.
 */
export function malloc(size: i32): usize {
  return <u32>size <= <u32>ROOM ? room : __pin(changetype<usize>(new ArrayBuffer(size)));
}

/** Where the host's last answer stands, and how long it is. Call `release` when it has been read. */
@inline
export function answer(): usize {
  return load<usize>(OUT);
}

@inline
export function answerSize(): i32 {
  return load<i32>(OUT, 4);
}

@inline
export function release(): void {
  const at = answer();
  if (at != 0 && at != room) __unpin(at);
}

/** Before a call that may succeed without an answer. */
@inline
export function clearAnswer(): void {
  store<usize>(OUT, 0);
  store<i32>(OUT, 0, 4);
}

/** The host's last answer as a buffer of its own. */
export function take(): ArrayBuffer {
  const at = answer();
  const size = answerSize();
  if (at == 0 || size == 0) return new ArrayBuffer(0);
  if (at == room) {
    const copy = new ArrayBuffer(size);
    memory.copy(changetype<usize>(copy), at, size);
    return copy;
  }
  __unpin(at);
  return changetype<ArrayBuffer>(at);
}

/** The host's last answer as text. */
export function takeText(): string {
  const at = answer();
  const size = answerSize();
  if (at == 0 || size == 0) return "";
  const text = String.UTF8.decodeUnsafe(at, size);
  release();
  return text;
}
