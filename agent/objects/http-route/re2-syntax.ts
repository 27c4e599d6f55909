// The grammar of https://github.com/google/re2/wiki/Syntax, as far as it decides whether Envoy accepts a pattern. Envoy refuses
// a whole route table for one pattern that it does not accept, so this check must never accept more than Envoy. Envoy compiles
// patterns as Latin-1 (source/common/common/regex.cc), so that each byte of a UTF-8 text is a character.

/** RE2: a repetition count above this, alone or multiplied by those around it, is refused. */
const MAX_REPEAT = 1000;
const MAX_LENGTH = 1024;
const MAX_DEPTH = 100;

/**
 * How many instructions of RE2 a part of a pattern needs at most: `RE2::ProgramSize` counts them. The numbers are bounds and
 * not exact; test/objects/re2-program-size.test.ts compares them with Envoy.
 */
const SIZE = {
  /** The beginning and the end of every program. */
  base: 8,
  /** With `(?i)` a letter is a class of up to three characters. */
  literal: 3,
  /** Each range of a class, with its twin of the other case. */
  range: 4,
  /** A class by name has several ranges; \pL and the like have 11 in Latin-1. */
  namedClass: 40,
  group: 2,
  alternative: 2,
  repetition: 3,
} as const;

/** What `Syntax` knows of a part of a pattern. */
interface Part {
  /** The largest product of repetition counts inside. */
  readonly repeats: number;
  readonly size: number;
  /** It matches nothing by itself, as flags do: RE2 refuses to repeat it. */
  readonly unrepeatable?: true;
}

/** The result for a pattern in order. */
export interface Re2Pattern {
  /** At most so many instructions: at least `RE2::ProgramSize`. */
  readonly programSize: number;
}
const CLASSES = "dDsSwW";
const PLAIN_ESCAPES = "aftnrv";
const POSIX_CLASS = /^\[:\^?(alnum|alpha|ascii|blank|cntrl|digit|graph|lower|print|punct|space|upper|word|xdigit):\]/;
const UNICODE_CLASS = /^\\[pP](?:\{\^?([A-Za-z_]{1,40})\}|([CLMNPSZ]))/;
/** Categories of Unicode, and some of its scripts. Most scripts have no character in Latin-1. */
const UNICODE_NAMES: ReadonlySet<string> = new Set(
  (
    "Any C Cc Cf Co Cs L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps S Sc Sk Sm So Z Zl Zp Zs " +
    "Arabic Common Cyrillic Devanagari Greek Han Hangul Hebrew Hiragana Inherited Katakana Latin Thai"
  ).split(" "),
);

class Syntax {
  private readonly text: string;
  private at = 0;
  private depth = 0;
  private readonly groupNames = new Set<string>();

  constructor(text: string) {
    this.text = text;
  }

  /** The error in words, or the size. */
  check(): string | Re2Pattern {
    const result = this.alternatives();
    if (typeof result === "string") return result;
    return this.at < this.text.length ? "unexpected )" : { programSize: result.size + SIZE.base };
  }

  /** The parts together, or the error. */
  private alternatives(): Part | string {
    let repeats = 1;
    let size = 1;
    while (this.at < this.text.length && this.text[this.at] !== ")") {
      if (this.take("|")) {
        size += SIZE.alternative;
        continue;
      }
      const one = this.repeated();
      if (typeof one === "string") return one;
      repeats = Math.max(repeats, one.repeats);
      size += one.size;
    }
    return { repeats, size };
  }

  private repeated(): Part | string {
    const atom = this.atom();
    if (typeof atom === "string") return atom;
    const count = this.repetition();
    if (typeof count !== "number") return count ?? atom;
    if (atom.unrepeatable) return "nothing to repeat";
    const repeats = atom.repeats * count;
    if (repeats > MAX_REPEAT) return `more than ${MAX_REPEAT} repetitions`;
    // RE2 refuses a** and a+*, which Perl gives another meaning (a++).
    if (this.repetition() !== undefined) return "a repetition of a repetition (possessive quantifiers are not known)";
    // RE2 writes a counted repetition out: x{2,4} is xx(x(x)?)?, and x{2,} is xx+.
    return { repeats, size: count * (atom.size + SIZE.repetition) + SIZE.repetition };
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

  private atom(): Part | string {
    const char = this.text[this.at];
    if (char === "(") return this.group();
    if (char === "[") return part(this.charClass());
    if (char === "\\") return this.escapedAtom();
    if (char === "*" || char === "+" || char === "?") return `nothing for ${char} to repeat`;
    if (char === "{" && /^\{\d+(,\d*)?\}/.test(this.text.slice(this.at))) return "nothing for {} to repeat";
    this.at += 1;
    return { repeats: 1, size: char === "." ? SIZE.range : SIZE.literal };
  }

  private escapedAtom(): Part | string {
    const isEmptyQuote = /^\\Q(\\E|$)/.test(this.text.slice(this.at));
    const atom = part(this.escape(false));
    return isEmptyQuote && typeof atom !== "string" ? { ...atom, unrepeatable: true } : atom;
  }

  private group(): Part | string {
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
        if (flags[3] === ")") return { repeats: 1, size: 1, unrepeatable: true };
      } else if (/^\?(<?[=!])/.test(rest)) return "look-around is not known";
      else return `(${rest.slice(0, 3)} is not known`;
    }
    if (++this.depth > MAX_DEPTH) return "groups are nested too deeply";
    const inside = this.alternatives();
    this.depth--;
    if (typeof inside === "string") return inside;
    if (!this.take(")")) return "a ( without its )";
    return { repeats: inside.repeats, size: inside.size + SIZE.group };
  }

  /** Its size, or the error. */
  private charClass(): number | string {
    this.at += 1;
    let size: number = this.take("^") ? 2 * SIZE.range : SIZE.range;
    let from: number | undefined;
    for (let first = true; first || this.text[this.at] !== "]"; first = false) {
      if (this.at >= this.text.length) return "a [ without its ]";
      const start = this.at;
      const one = this.member();
      if (typeof one === "string") return one;
      size += one;
      const code = codeOfMember(this.text.slice(start, this.at));
      if (from !== undefined) {
        if (code === undefined || code < from) return "a range whose end is before its start, or no character";
        from = undefined;
      } else if (code !== undefined && this.text[this.at] === "-" && this.at + 1 < this.text.length) {
        if (this.text[this.at + 1] === "]") continue;
        this.at += 1;
        from = code;
      }
    }
    this.at += 1;
    return size;
  }

  /** One member of a class, or one end of a range. Its size, or the error. */
  private member(): number | string {
    const posix = POSIX_CLASS.exec(this.text.slice(this.at));
    if (posix !== null) {
      this.at += posix[0].length;
      return SIZE.namedClass;
    }
    if (this.text.startsWith("[:", this.at) && this.text.includes(":]", this.at)) return "an unknown [: :] class";
    if (this.text[this.at] === "\\") return this.escape(true);
    this.at += 1;
    return SIZE.range;
  }

  /** Its size, or the error. */
  private escape(inClass: boolean): number | string {
    const rest = this.text.slice(this.at);
    const next = rest[1];
    if (next === undefined) return "a \\ at the end";
    const unicode = UNICODE_CLASS.exec(rest);
    const unknown = unicode?.slice(1).find((name) => name !== undefined && !UNICODE_NAMES.has(name));
    if (unknown !== undefined) return `no class of characters is named ${unknown}`;
    const known =
      unicode ??
      /^\\(x[0-9A-Fa-f]{2}|x\{[0-9A-Fa-f]{1,6}\}|0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(rest) ??
      (inClass ? null : /^\\Q[^]*?(\\E|$)/.exec(rest));
    if (known !== null) {
      if ((codeByNumber(known[0]) ?? 0) > 0xff)
        return `${known[0]} is above \\xff: Envoy matches bytes, so write the character itself`;
      this.at += known[0].length;
      if (known[0].startsWith("\\Q")) return (known[0].length + 1) * SIZE.literal;
      return /^\\p/i.test(known[0]) ? SIZE.namedClass : SIZE.range;
    }
    if (/[1-9k]/.test(next)) return "back-references are not known";
    const allowed = CLASSES + PLAIN_ESCAPES + (inClass ? "" : "AbBzC");
    if (/[A-Za-z0-9]/.test(next) && !allowed.includes(next)) return `\\${next} is not known`;
    if (next.charCodeAt(0) > 0x7f) return `\\${next} is not known`;
    this.at += 2;
    return CLASSES.includes(next) ? SIZE.namedClass : SIZE.range;
  }

  private take(char: string): boolean {
    if (this.text[this.at] !== char) return false;
    this.at += 1;
    return true;
  }
}

function part(size: number | string): Part | string {
  return typeof size === "string" ? size : { repeats: 1, size };
}

const NAMED_CODES: ReadonlyMap<string, number> = new Map(Object.entries({ a: 7, t: 9, n: 10, v: 11, f: 12, r: 13 }));

/** The character that a member of a class is; undefined where it is a class itself. */
function codeOfMember(member: string): number | undefined {
  if (!member.startsWith("\\")) return member.length === 1 ? member.charCodeAt(0) : undefined;
  const byNumber = codeByNumber(member);
  if (byNumber !== undefined) return byNumber;
  const letter = member.slice(1);
  return NAMED_CODES.get(letter) ?? (/^[A-Za-z]/.test(letter) ? undefined : letter.charCodeAt(0));
}

/** The character that an escape by number names; undefined for other escapes. */
function codeByNumber(escape: string): number | undefined {
  const hex = /^\\x\{?([0-9A-Fa-f]+)/.exec(escape);
  if (hex !== null) return Number.parseInt(hex[1] ?? "", 16);
  return /^\\[0-7]/.test(escape) ? Number.parseInt(escape.slice(1), 8) : undefined;
}

/** Why RE2, and so Envoy, refuses a pattern, in words; or what is known of a pattern that they accept. */
export function checkRe2(pattern: string): string | Re2Pattern {
  if (pattern === "") return "it is empty";
  if (pattern.length > MAX_LENGTH) return `it is longer than ${MAX_LENGTH} characters`;
  return new Syntax(Buffer.from(pattern, "utf8").toString("latin1")).check();
}
