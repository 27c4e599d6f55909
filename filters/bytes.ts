import { answerSize, answerStart } from "../assembly/index";

/** The standard library compares byte by byte what is not aligned alike, as answers of the host are not. */
export function areEqual(a: usize, b: usize, size: usize): bool {
  if (size < 8) {
    for (let at: usize = 0; at < size; at++) if (load<u8>(a + at) != load<u8>(b + at)) return false;
    return true;
  }
  const last = size - 8;
  for (let at: usize = 0; at < last; at += 8) if (load<u64>(a + at) != load<u64>(b + at)) return false;
  return load<u64>(a + last) == load<u64>(b + last);
}

/** Bytes that stand somewhere else: in the host's answer, or in a buffer that outlives this. */
export class Bytes {
  start: usize = 0;
  size: usize = 0;

  clear(): void {
    this.size = 0;
  }

  at(start: usize, size: usize): void {
    this.start = start;
    this.size = size;
  }

  of(buffer: ArrayBuffer): void {
    this.at(changetype<usize>(buffer), buffer.byteLength);
  }

  /** The host's answer to the last call. */
  answer(): void {
    this.at(answerStart(), answerSize());
  }

  text(): string {
    return String.UTF8.decodeUnsafe(this.start, this.size);
  }
}
