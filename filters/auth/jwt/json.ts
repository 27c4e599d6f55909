import { readString, StringEnd } from "./json-string";

export enum JsonKind {
  Null,
  Boolean,
  Number,
  Text,
  List,
  Object,
}

const NO_NAMES: string[] = [];
const NO_ITEMS: JsonValue[] = [];

export class JsonValue {
  /** The names of an object's members; their values are in `items`. A list has `items` alone. */
  names: string[] = NO_NAMES;
  items: JsonValue[] = NO_ITEMS;

  constructor(
    readonly kind: JsonKind,
    /** The characters of a text, or a number or boolean as written. */
    readonly text: string,
  ) {}

  member(name: string): JsonValue | null {
    const index = this.names.indexOf(name);
    return index < 0 ? null : this.items[index];
  }

  /** A member that is a text; "" if there is none. */
  memberText(name: string): string {
    const value = this.member(name);
    return value !== null && value.kind == JsonKind.Text ? value.text : "";
  }
}

/** A client may send these bytes without a signature, so refusing them must cost little. */
const MAX_DEPTH = 16;
const MAX_VALUES = 2048;
const MAX_NAMES = 256;
/** All claims' paths, with the names of the claims around them, may be so many times as long as the text. */
const MAX_PATHS: usize = 8;

const QUOTE: u8 = 0x22;
const COMMA: u8 = 0x2c;
const COLON: u8 = 0x3a;

/** Reads JSON (RFC 8259) from an untrusted client: it never reads after the end, and never traps. */
class JsonReader {
  private left: i32 = MAX_VALUES;
  /** The length of the path of the object that is being read, and how much all paths may still have. */
  private path: usize = 0;
  private pathsLeft: usize;

  constructor(
    private at: usize,
    private readonly end: usize,
  ) {
    this.pathsLeft = 4096 + MAX_PATHS * (end - at);
  }

  /** null unless the text is exactly one JSON object. */
  whole(): JsonValue | null {
    const value = this.value(0);
    this.space();
    return value !== null && value.kind == JsonKind.Object && this.at == this.end ? value : null;
  }

  private value(depth: i32): JsonValue | null {
    this.space();
    if (this.at >= this.end || depth > MAX_DEPTH || --this.left < 0) return null;
    const first = load<u8>(this.at);
    if (first == 0x7b) return this.object(depth);
    if (first == 0x5b) return this.list(depth);
    if (first == QUOTE) {
      const text = this.text();
      return text === null ? null : new JsonValue(JsonKind.Text, text);
    }
    if (first == 0x74) return this.word("true", JsonKind.Boolean);
    if (first == 0x66) return this.word("false", JsonKind.Boolean);
    if (first == 0x6e) return this.word("null", JsonKind.Null);
    return this.number();
  }

  private object(depth: i32): JsonValue | null {
    const result = new JsonValue(JsonKind.Object, "");
    result.names = [];
    result.items = [];
    this.at++;
    if (this.take(0x7d)) return result;
    while (true) {
      this.space();
      if (this.at >= this.end || load<u8>(this.at) != QUOTE) return null;
      const name = this.text();
      // If a name comes twice, readers differ in which value they take.
      if (name === null || result.names.length >= MAX_NAMES || result.names.includes(name)) return null;
      if (!this.take(COLON)) return null;
      const before = this.path;
      this.path += <usize>name.length + 1;
      if (this.path > this.pathsLeft) return null;
      this.pathsLeft -= this.path;
      const value = this.value(depth + 1);
      if (value === null) return null;
      this.path = before;
      result.names.push(name);
      result.items.push(value);
      if (this.take(0x7d)) return result;
      if (!this.take(COMMA)) return null;
    }
  }

  private list(depth: i32): JsonValue | null {
    const result = new JsonValue(JsonKind.List, "");
    result.items = [];
    this.at++;
    if (this.take(0x5d)) return result;
    while (true) {
      const value = this.value(depth + 1);
      if (value === null) return null;
      result.items.push(value);
      if (this.take(0x5d)) return result;
      if (!this.take(COMMA)) return null;
    }
  }

  private text(): string | null {
    const end = new StringEnd();
    const text = readString(this.at, this.end, end);
    if (text !== null) this.at = end.at;
    return text;
  }

  private word(word: string, kind: JsonKind): JsonValue | null {
    const size = <usize>word.length;
    if (this.end - this.at < size) return null;
    for (let i = 0; i < word.length; i++) if (load<u8>(this.at + i) != <u8>word.charCodeAt(i)) return null;
    this.at += size;
    return new JsonValue(kind, word);
  }

  private number(): JsonValue | null {
    const start = this.at;
    if (this.isNext(0x2d)) this.at++;
    const whole = this.digits();
    if (whole == 0 || (whole > 1 && load<u8>(this.at - whole) == 0x30)) return null;
    if (this.isNext(0x2e)) {
      this.at++;
      if (this.digits() == 0) return null;
    }
    if (this.isNext(0x65) || this.isNext(0x45)) {
      this.at++;
      if (this.isNext(0x2b) || this.isNext(0x2d)) this.at++;
      if (this.digits() == 0) return null;
    }
    return new JsonValue(JsonKind.Number, String.UTF8.decodeUnsafe(start, this.at - start));
  }

  private digits(): usize {
    const start = this.at;
    while (this.at < this.end && load<u8>(this.at) >= 0x30 && load<u8>(this.at) <= 0x39) this.at++;
    return this.at - start;
  }

  private isNext(code: u8): bool {
    return this.at < this.end && load<u8>(this.at) == code;
  }

  /** Skips spaces, then takes that character if it comes next. */
  private take(code: u8): bool {
    this.space();
    if (!this.isNext(code)) return false;
    this.at++;
    return true;
  }

  private space(): void {
    while (this.isNext(0x20) || this.isNext(0x0a) || this.isNext(0x0d) || this.isNext(0x09)) this.at++;
  }
}

/** null if the text is no JSON object. */
export function readJsonObject(bytes: ArrayBuffer): JsonValue | null {
  const start = changetype<usize>(bytes);
  return new JsonReader(start, start + bytes.byteLength).whole();
}
