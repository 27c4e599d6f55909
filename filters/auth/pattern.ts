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

/** Istio's spelling: `value`, `value*`, `*value`, or `*` for anything but nothing. */
class Pattern {
  private readonly kind: Kind;
  private readonly text: ArrayBuffer;

  constructor(spelling: string) {
    const kind = kindOf(spelling);
    const first = kind == Kind.Suffix ? 1 : 0;
    const end = spelling.length - (kind == Kind.Prefix ? 1 : 0);
    this.kind = kind;
    this.text = String.UTF8.encode(spelling.substring(first, end));
  }

  matches(value: Bytes): bool {
    if (this.kind == Kind.Present) return value.size > 0;
    const size = <usize>this.text.byteLength;
    if (this.kind == Kind.Exact ? value.size != size : value.size < size) return false;
    const from = this.kind == Kind.Suffix ? value.size - size : 0;
    return areEqual(changetype<usize>(this.text), value.start + from, size);
  }
}

/** A rule's pair of lists about one thing. */
export class Wanted {
  private readonly wanted: Pattern[];
  private readonly unwanted: Pattern[];
  /** Nothing is asked: whatever the value is, it holds. */
  readonly isOpen: bool;

  constructor(wanted: string[], unwanted: string[]) {
    this.wanted = wanted.map<Pattern>((text) => new Pattern(text));
    this.unwanted = unwanted.map<Pattern>((text) => new Pattern(text));
    this.isOpen = wanted.length == 0 && unwanted.length == 0;
  }

  /** One of those that are wanted (or none is named), and none of the others. */
  holds(value: Bytes): bool {
    if (this.isOpen) return true;
    return (this.wanted.length == 0 || matchesAny(this.wanted, value)) && !matchesAny(this.unwanted, value);
  }
}

function matchesAny(patterns: Pattern[], value: Bytes): bool {
  for (let i = 0; i < patterns.length; i++) if (patterns[i].matches(value)) return true;
  return false;
}
