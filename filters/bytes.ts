import { answerSize, answerStart } from "../assembly/index";

/** The standard library compares byte by byte where alignments differ, as they do in answers of the host. */
export function areEqual(a: usize, b: usize, size: usize): bool {
  if (size < 8) {
    for (let at: usize = 0; at < size; at++) if (load<u8>(a + at) != load<u8>(b + at)) return false;
    return true;
  }
  const last = size - 8;
  for (let at: usize = 0; at < last; at += 8) if (load<u64>(a + at) != load<u64>(b + at)) return false;
  return load<u64>(a + last) == load<u64>(b + last);
}

/** Multiplies 8 bytes at a time. Use it only for texts from the agent: a caller could make up many texts with one hash. */
export function hashOf(start: usize, size: usize): u32 {
  let result: u64 = size;
  let at: usize = 0;
  for (; at + 8 <= size; at += 8) result = mix(result ^ load<u64>(start + at));
  if (at < size) {
    let rest: u64 = 0;
    for (; at < size; at++) rest = (rest << 8) | load<u8>(start + at);
    result = mix(result ^ rest);
  }
  return <u32>(result >> 32);
}

function mix(value: u64): u64 {
  const product = value * 0x9e3779b97f4a7c15;
  return product ^ (product >> 29);
}

/** Bytes in other memory: in the host's answer, or in a buffer that outlives this object. */
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
