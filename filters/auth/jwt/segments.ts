import { isBlank } from "./header-tokens";
import { Location } from "./location";

const EQUALS: u8 = 0x3d;

/** Walks over a sequence of `name=value` pairs: the parameters of a query, the cookies of a header. */
export class Segments {
  private at: usize = 0;
  private limit: usize = 0;
  start: usize = 0;
  size: usize = 0;
  /** The end of the name. A segment without "=" is all name. */
  nameSize: usize = 0;

  constructor(private readonly divider: u8) {}

  begin(start: usize, size: usize): void {
    this.at = start;
    this.limit = start + size;
  }

  /** Goes to the next segment that is not empty; false after the last. */
  next(): bool {
    while (this.at < this.limit && (load<u8>(this.at) == this.divider || isBlank(load<u8>(this.at)))) this.at++;
    if (this.at >= this.limit) return false;
    this.start = this.at;
    while (this.at < this.limit && load<u8>(this.at) != this.divider) this.at++;
    let end = this.at;
    while (isBlank(load<u8>(end - 1))) end--;
    this.size = end - this.start;
    let equals = this.start;
    while (equals < end && load<u8>(equals) != EQUALS) equals++;
    this.nameSize = equals - this.start;
    return true;
  }

  get valueStart(): usize {
    return this.nameSize < this.size ? this.start + this.nameSize + 1 : this.start + this.size;
  }

  get valueSize(): usize {
    return this.start + this.size - this.valueStart;
  }

  /** The application must not get it. */
  isTakenAway(list: Location[]): bool {
    for (let i = 0; i < list.length; i++) {
      if (list[i].isTakenAway && list[i].whole.start == this.start) return true;
    }
    return false;
  }
}

export function anyTakenAway(list: Location[]): bool {
  for (let i = 0; i < list.length; i++) if (list[i].isTakenAway) return true;
  return false;
}
