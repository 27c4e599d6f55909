/**
 * Walks over pairs of bytes as the ABI has them: their number, the sizes of each key and value, then the bytes, each with a
 * NUL behind it. A list is pairs whose values are empty.
 */
export class Pairs {
  private sizes: usize = 0;
  private left: u32 = 0;
  private at: usize = 0;
  keyStart: usize = 0;
  keySize: usize = 0;
  valueStart: usize = 0;
  valueSize: usize = 0;

  begin(start: usize): void {
    this.left = load<u32>(start);
    this.sizes = start + 4;
    this.at = this.sizes + ((<usize>this.left) << 3);
  }

  /** To the next pair; false behind the last one. */
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

  /** Of a list: the next member, a number of 8 bytes; 0 where it is none. */
  nextNumber(): i64 {
    return this.next() && this.keySize == 8 ? load<i64>(this.keyStart) : 0;
  }
}
