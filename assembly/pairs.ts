/**
 * Walks over pairs of bytes in the form of the ABI: their number, the sizes of each key and value, then the bytes, each
 * with a NUL after it. A list consists of pairs with empty values.
 */
export class Pairs {
  private sizes: usize = 0;
  private left: u32 = 0;
  private at: usize = 0;
  keyStart: usize = 0;
  keySize: usize = 0;
  valueStart: usize = 0;
  valueSize: usize = 0;

  /** Makes one pair for the host. */
  static of(key: string, value: string): ArrayBuffer {
    const keySize = String.UTF8.byteLength(key);
    const valueSize = String.UTF8.byteLength(value);
    const pairs = new ArrayBuffer(12 + keySize + 1 + valueSize + 1);
    const start = changetype<usize>(pairs);
    store<u32>(start, 1);
    store<u32>(start, keySize, 4);
    store<u32>(start, valueSize, 8);
    // Each with its NUL.
    String.UTF8.encodeUnsafe(changetype<usize>(key), key.length, start + 12, true);
    String.UTF8.encodeUnsafe(changetype<usize>(value), value.length, start + 13 + keySize, true);
    return pairs;
  }

  begin(start: usize): void {
    this.left = load<u32>(start);
    this.sizes = start + 4;
    this.at = this.sizes + ((<usize>this.left) << 3);
  }

  /** Goes to the next pair; false after the last one. */
  next(): bool {
    if (this.left == 0) return false;
    this.left--;
    this.keyStart = this.at;
    this.keySize = load<u32>(this.sizes);
    this.valueStart = this.keyStart + this.keySize + 1;
    this.valueSize = load<u32>(this.sizes, 4);
    this.sizes += 8;
    this.at = this.valueStart + this.valueSize + 1;
    return true;
  }

  /** The next member of a list, a number of 8 bytes; 0 if it is no such number. */
  nextNumber(): i64 {
    return this.next() && this.keySize == 8 ? load<i64>(this.keyStart) : 0;
  }
}
