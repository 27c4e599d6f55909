import { JsonString } from "./json-string";

/** The fields that an object has to have: each exactly once, and no other. At most 64. */
export class JsonFields {
  readonly names: string[];
  /** One bit for each field. */
  readonly all: u64;
  private readonly keys: ArrayBuffer[];

  constructor(names: string[]) {
    this.names = names;
    this.all = names.length < 64 ? ((<u64>1) << names.length) - 1 : u64.MAX_VALUE;
    this.keys = names.map<ArrayBuffer>((name) => String.UTF8.encode(name));
  }

  /** The index of a field; -1: there is none. `expected`: writers keep an order, so this one is asked first. */
  find(name: JsonString, expected: i32): i32 {
    if (this.is(name, expected)) return expected;
    for (let i = 0; i < this.keys.length; i++) if (this.is(name, i)) return i;
    return -1;
  }

  firstMissing(seen: u64): string {
    for (let i = 0; i < this.names.length; i++) if ((seen & ((<u64>1) << i)) == 0) return this.names[i];
    return "";
  }

  private is(name: JsonString, index: i32): bool {
    if (index >= this.keys.length) return false;
    const key = this.keys[index];
    return name.equals(changetype<usize>(key), key.byteLength);
  }
}
