/** Enough for the workloads that one node talks to; beyond, everything is made anew once. */
const MAX = 10_000;

class Entry<T> {
  constructor(
    readonly bytes: ArrayBuffer,
    readonly value: T,
  ) {}
}

/** Values made of text that comes again and again, found by the text's bytes: nothing is decoded or allocated for a known one. */
export class Interned<T> {
  private readonly entries: Map<u32, Entry<T>> = new Map();
  private ids: u32 = 0;

  constructor(
    private readonly make: (text: string, id: u32) => T,
    /** Stands for no text. */
    private readonly nothing: T,
  ) {}

  of(bytes: ArrayBuffer | null): T {
    if (bytes === null || bytes.byteLength == 0) return this.nothing;
    const key = hash(bytes);
    if (this.entries.has(key)) {
      const entry = this.entries.get(key);
      if (isSame(entry.bytes, bytes)) return entry.value;
    }
    if (this.entries.size >= MAX) this.entries.clear();
    const value = this.make(String.UTF8.decode(bytes), ++this.ids);
    this.entries.set(key, new Entry<T>(bytes, value));
    return value;
  }
}

function isSame(a: ArrayBuffer, b: ArrayBuffer): bool {
  if (a.byteLength != b.byteLength) return false;
  return memory.compare(changetype<usize>(a), changetype<usize>(b), a.byteLength) == 0;
}

/** FNV-1a over 4 bytes at a time. */
function hash(bytes: ArrayBuffer): u32 {
  const start = changetype<usize>(bytes);
  const size = <usize>bytes.byteLength;
  let result: u32 = 0x811c9dc5;
  let at: usize = 0;
  for (; at + 4 <= size; at += 4) result = (result ^ load<u32>(start + at)) * 0x01000193;
  for (; at < size; at++) result = (result ^ load<u8>(start + at)) * 0x01000193;
  return result;
}
