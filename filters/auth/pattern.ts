import { areEqual, Bytes } from "../bytes";

const enum Kind {
  Exact,
  Prefix,
  Suffix,
  Present,
}

function kindOf(spelling: string): Kind {
  if (spelling == "*") return Kind.Present;
  if (spelling.endsWith("*")) return Kind.Prefix;
  return spelling.startsWith("*") ? Kind.Suffix : Kind.Exact;
}

/** Istio's spelling: `value`, `value*`, `*value`, or `*` for any value that is not empty. */
export class Pattern {
  private readonly kind: Kind;
  private readonly bytes: ArrayBuffer;
  private readonly text: string;

  constructor(spelling: string) {
    const kind = kindOf(spelling);
    const first = kind == Kind.Suffix ? 1 : 0;
    const end = spelling.length - (kind == Kind.Prefix ? 1 : 0);
    this.kind = kind;
    const text = kind == Kind.Present ? "" : spelling.substring(first, end);
    this.text = text;
    this.bytes = String.UTF8.encode(text);
  }

  get isPresence(): bool {
    return this.kind == Kind.Present;
  }

  matches(value: Bytes): bool {
    return this.fits(value) && areEqual(changetype<usize>(this.bytes), this.from(value), this.bytes.byteLength);
  }

  /** Compares with a value in upper or lower case; the pattern is in lower case. (Host names are ASCII.) */
  matchesLower(value: Bytes): bool {
    if (!this.fits(value)) return false;
    const text = changetype<usize>(this.bytes);
    const from = this.from(value);
    for (let i: usize = 0; i < <usize>this.bytes.byteLength; i++) {
      const code = load<u8>(from + i);
      const lower = code >= 0x41 && code <= 0x5a ? code | 0x20 : code;
      if (lower != load<u8>(text + i)) return false;
    }
    return true;
  }

  matchesText(value: string): bool {
    if (this.kind == Kind.Present) return value.length > 0;
    if (this.kind == Kind.Prefix) return value.startsWith(this.text);
    return this.kind == Kind.Suffix ? value.endsWith(this.text) : value == this.text;
  }

  private fits(value: Bytes): bool {
    const size = <usize>this.bytes.byteLength;
    if (this.kind == Kind.Present) return value.size > 0;
    return this.kind == Kind.Exact ? value.size == size : value.size >= size;
  }

  private from(value: Bytes): usize {
    return value.start + (this.kind == Kind.Suffix ? value.size - this.bytes.byteLength : 0);
  }
}
