import { areEqual, Bytes } from "../bytes";

const ONE = "{*}";
const ANY = "{**}";
const SLASH: u8 = 0x2f;

/** Istio's path templates: `{*}` matches one segment that is not empty, `{**}` matches any text, also none. */
export class PathTemplate {
  /** The texts around the wildcards: one more than there are wildcards. */
  private readonly literals: ArrayBuffer[] = [];
  /** The last wildcard is `{**}`, which is allowed in the last place only. */
  private readonly endsInAny: bool;

  static is(text: string): bool {
    return text.includes(ONE) || text.includes(ANY);
  }

  constructor(text: string) {
    const any = text.indexOf(ANY);
    const head = any < 0 ? text : text.substring(0, any);
    const parts = head.split(ONE);
    for (let i = 0; i < parts.length; i++) this.literals.push(String.UTF8.encode(parts[i]));
    if (any >= 0) this.literals.push(String.UTF8.encode(text.substring(any + ANY.length)));
    this.endsInAny = any >= 0;
  }

  matches(path: Bytes): bool {
    const end = path.start + path.size;
    const last = this.literals.length - 1;
    let at = path.start;
    for (let i = 0; i <= last; i++) {
      const literal = this.literals[i];
      const size = <usize>literal.byteLength;
      if (i == last && this.endsInAny) {
        return end - at >= size && areEqual(changetype<usize>(literal), end - size, size);
      }
      if (end - at < size || !areEqual(changetype<usize>(literal), at, size)) return false;
      at += size;
      if (i == last || (i == last - 1 && this.endsInAny)) continue;
      const segment = at;
      while (at < end && load<u8>(at) != SLASH) at++;
      if (at == segment) return false;
    }
    return at == end;
  }
}
