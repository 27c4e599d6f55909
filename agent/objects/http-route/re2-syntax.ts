// The grammar of https://github.com/google/re2/wiki/Syntax, as far as it decides whether Envoy accepts a pattern.

/** RE2: a repetition count above this, alone or multiplied by those around it, is refused. */
const MAX_REPEAT = 1000;
const MAX_LENGTH = 1024;
const MAX_DEPTH = 100;
const CLASSES = "dDsSwW";
const PLAIN_ESCAPES = "aftnrv";
const POSIX_CLASS = /^\[:\^?(alnum|alpha|ascii|blank|cntrl|digit|graph|lower|print|punct|space|upper|word|xdigit):\]/;
const UNICODE_CLASS = /^\\[pP](\{\^?[A-Za-z_]{1,40}\}|[CLMNPSZ])/;

class Syntax {
  private readonly text: string;
  private at = 0;
  private depth = 0;
  private readonly groupNames = new Set<string>();

  constructor(text: string) {
    this.text = text;
  }

  check(): string | undefined {
    const result = this.alternatives();
    if (typeof result === "string") return result;
    return this.at < this.text.length ? "unexpected )" : undefined;
  }

  /** The largest product of repetition counts inside, or the error. */
  private alternatives(): number | string {
    let repeats = 1;
    while (this.at < this.text.length && this.text[this.at] !== ")") {
      if (this.take("|")) continue;
      const one = this.repeated();
      if (typeof one === "string") return one;
      repeats = Math.max(repeats, one);
    }
    return repeats;
  }

  private repeated(): number | string {
    const atom = this.atom();
    if (typeof atom === "string") return atom;
    const count = this.repetition();
    if (typeof count !== "number") return count ?? atom;
    const product = atom * count;
    if (product > MAX_REPEAT) return `more than ${MAX_REPEAT} repetitions`;
    // RE2 refuses a** and a+*, which Perl gives another meaning (a++).
    const again = this.repetition();
    return again === undefined ? product : "a repetition of a repetition (possessive quantifiers are not known)";
  }

  /** How often at most, counted; undefined where nothing is repeated. */
  private repetition(): number | string | undefined {
    const rest = this.text.slice(this.at);
    const counted = /^\{(\d+)(,(\d*))?\}\??/.exec(rest);
    if (counted !== null) {
      this.at += counted[0].length;
      const min = Number(counted[1]);
      const max = counted[3] === undefined || counted[3] === "" ? min : Number(counted[3]);
      if (max < min || max > MAX_REPEAT) return `bad repetition ${counted[0]}`;
      return Math.max(1, max);
    }
    const simple = /^[*+?]\??/.exec(rest);
    if (simple === null) return undefined;
    this.at += simple[0].length;
    return 1;
  }

  private atom(): number | string {
    const char = this.text[this.at];
    if (char === "(") return this.group();
    if (char === "[") return this.charClass() ?? 1;
    if (char === "\\") return this.escape(false) ?? 1;
    if (char === "*" || char === "+" || char === "?") return `nothing for ${char} to repeat`;
    if (char === "{" && /^\{\d+(,\d*)?\}/.test(this.text.slice(this.at))) return "nothing for {} to repeat";
    this.at += 1;
    return 1;
  }

  private group(): number | string {
    this.at += 1;
    const rest = this.text.slice(this.at);
    if (rest.startsWith("?")) {
      const named = /^\?P?<([A-Za-z_][A-Za-z0-9_]*)>/.exec(rest);
      const flags = /^\?([imsU]*(-[imsU]+)?)([:)])/.exec(rest);
      if (named !== null) {
        const name = named[1] ?? "";
        if (this.groupNames.has(name)) return `two groups named ${name}`;
        this.groupNames.add(name);
        this.at += named[0].length;
      } else if (flags !== null && rest !== "?)" && flags[0] !== "?)") {
        this.at += flags[0].length;
        if (flags[3] === ")") return 1;
      } else if (/^\?(<?[=!])/.test(rest)) return "look-around is not known";
      else return `(${rest.slice(0, 3)} is not known`;
    }
    if (++this.depth > MAX_DEPTH) return "groups are nested too deeply";
    const inside = this.alternatives();
    this.depth--;
    if (typeof inside === "string") return inside;
    return this.take(")") ? inside : "a ( without its )";
  }

  private charClass(): string | undefined {
    this.at += 1;
    this.take("^");
    let first = true;
    let from: number | undefined;
    while (first || this.text[this.at] !== "]") {
      if (this.at >= this.text.length) return "a [ without its ]";
      first = false;
      const posix = POSIX_CLASS.exec(this.text.slice(this.at));
      if (posix !== null) {
        this.at += posix[0].length;
        from = undefined;
        continue;
      }
      if (this.text.startsWith("[:", this.at) && this.text.includes(":]", this.at)) return "an unknown [: :] class";
      const start = this.at;
      if (this.text[this.at] === "\\") {
        const error = this.escape(true);
        if (error !== undefined) return error;
      } else this.advance();
      const single = this.codeOf(start);
      if (from !== undefined && single !== undefined && single < from) return "a range whose end is before its start";
      from = undefined;
      if (
        this.text[this.at] === "-" &&
        this.text[this.at + 1] !== "]" &&
        this.at + 1 < this.text.length &&
        single !== undefined
      ) {
        this.at += 1;
        from = single;
      }
    }
    this.at += 1;
    return undefined;
  }

  /** The code point of a member that stands for itself; undefined for escapes. */
  private codeOf(start: number): number | undefined {
    return this.text[start] === "\\" ? undefined : this.text.codePointAt(start);
  }

  private escape(inClass: boolean): string | undefined {
    const rest = this.text.slice(this.at);
    const next = rest[1];
    if (next === undefined) return "a \\ at the end";
    const known =
      UNICODE_CLASS.exec(rest) ??
      /^\\(x[0-9A-Fa-f]{2}|x\{[0-9A-Fa-f]{1,6}\}|0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(rest) ??
      (inClass ? null : /^\\Q[^]*?(\\E|$)/.exec(rest));
    if (known !== null) {
      const hex = /^\\x\{?([0-9A-Fa-f]+)/.exec(known[0]);
      if (hex !== null && Number.parseInt(hex[1] ?? "", 16) > 0x10ffff) return `${known[0]} is no character`;
      this.at += known[0].length;
      return undefined;
    }
    if (/[1-9k]/.test(next)) return "back-references are not known";
    const allowed = CLASSES + PLAIN_ESCAPES + (inClass ? "" : "AbBzC");
    if (/[A-Za-z0-9]/.test(next) && !allowed.includes(next)) return `\\${next} is not known`;
    if (next.charCodeAt(0) > 0x7f) return `\\${next} is not known`;
    this.at += 2;
    return undefined;
  }

  private advance(): void {
    this.at += (this.text.codePointAt(this.at) ?? 0) > 0xffff ? 2 : 1;
  }

  private take(char: string): boolean {
    if (this.text[this.at] !== char) return false;
    this.at += 1;
    return true;
  }
}

/** Why RE2, and so Envoy, refuses a pattern; undefined if they accept it. */
export function re2Error(pattern: string): string | undefined {
  if (pattern === "") return "it is empty";
  if (pattern.length > MAX_LENGTH) return `it is longer than ${MAX_LENGTH} characters`;
  return new Syntax(pattern).check();
}
