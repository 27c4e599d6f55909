import { JsonFields } from "./json-fields";
import { JsonString } from "./json-string";

export enum JsonKind {
  /** No JSON value. */
  None,
  Null,
  Boolean,
  Number,
  Text,
  List,
  Object,
}

const QUOTE: u8 = 0x22;
const COMMA: u8 = 0x2c;
const COLON: u8 = 0x3a;
const MINUS: u8 = 0x2d;
const OPEN_LIST: u8 = 0x5b;
const CLOSE_LIST: u8 = 0x5d;
const OPEN_OBJECT: u8 = 0x7b;
const CLOSE_OBJECT: u8 = 0x7d;

const MAX_DEPTH = 64;
const NO_TEXTS: string[] = [];
/** Bytes of a name that an error shows. */
const SHOWN: usize = 64;

/** An object or list that is being read. */
class Frame {
  fields: JsonFields | null = null;
  /** Fields that came already, a bit for each. */
  seen: u64 = 0;
  /** The number of members or items so far. */
  count: i32 = 0;
  /** The reader is at a member or item: an error's path names it. */
  isInside: bool = false;
  isList: bool = false;
  nameStart: usize = 0;
  nameSize: usize = 0;
}

/**
 * Reads JSON (RFC 8259) value after value, in time linear in its size. It is total: whatever the bytes are, it neither
 * traps nor reads beyond them. At the first byte that is wrong it notes an error and is at its end: from then on its
 * functions answer false, "" or 0. So ask once, last: `isWhole`.
 *
 *     const reader = new JsonReader(start, size);
 *     reader.beginObject(new JsonFields(["name", "ports"]));
 *     while (reader.nextMember()) {
 *       if (reader.field == 0) name = reader.text();
 *       else {
 *         reader.beginList();
 *         while (reader.nextItem()) ports.push(reader.u32());
 *       }
 *     }
 *     if (!reader.isWhole) log(LogLevelValues.error, reader.error);
 */
export class JsonReader {
  /** What is wrong, where, by path and by byte; "" while nothing is. */
  error: string = "";
  /** The index of the member among the fields of its object; -1 if the object was begun without fields. */
  field: i32 = -1;
  /** The last name or text that was read. */
  readonly last: JsonString = new JsonString();
  private at: usize;
  private end: usize;
  private depth: i32 = 0;
  private readonly frames: Frame[] = [];

  constructor(
    private readonly start: usize,
    size: usize,
    private readonly maxDepth: i32 = MAX_DEPTH,
  ) {
    this.at = start;
    this.end = start + size;
  }

  /** True: the bytes were exactly one value, and it has been read. */
  get isWhole(): bool {
    this.skipSpace();
    if (this.depth > 0) this.fail("the object or list was not read to its end");
    else if (this.at < this.end) this.fail("nothing may follow the value");
    return this.error.length == 0;
  }

  /** What comes next. */
  peek(): JsonKind {
    this.skipSpace();
    if (this.at >= this.end) return JsonKind.None;
    const first = load<u8>(this.at);
    if (first == QUOTE) return JsonKind.Text;
    if (first == OPEN_OBJECT) return JsonKind.Object;
    if (first == OPEN_LIST) return JsonKind.List;
    if (first == MINUS || isDigit(first)) return JsonKind.Number;
    if (first == 0x74 || first == 0x66) return JsonKind.Boolean;
    return first == 0x6e ? JsonKind.Null : JsonKind.None;
  }

  /** With `fields`: each of them has to come once, and no other. Without: check names yourself, also for one that comes twice. */
  beginObject(fields: JsonFields | null = null): bool {
    if (!this.take(OPEN_OBJECT)) return this.fail("an object is expected");
    return this.push(fields, false);
  }

  /** Goes to the value of the next member; false at the object's end, and after an error. */
  nextMember(): bool {
    if (!this.next(CLOSE_OBJECT)) return false;
    const frame = this.frames[this.depth - 1];
    if (!this.readString("a name is expected")) return false;
    frame.nameStart = this.last.start;
    frame.nameSize = this.last.size;
    frame.isInside = true;
    frame.count++;
    const fields = frame.fields;
    if (fields !== null) {
      const field = fields.find(this.last, frame.count - 1);
      if (field < 0) return this.fail("no such field is known");
      const bit = (<u64>1) << field;
      if ((frame.seen & bit) != 0) return this.fail("the field comes twice");
      frame.seen |= bit;
      this.field = field;
    } else {
      this.field = -1;
    }
    return this.take(COLON) || this.fail("a colon is expected");
  }

  beginList(): bool {
    if (!this.take(OPEN_LIST)) return this.fail("a list is expected");
    return this.push(null, true);
  }

  /** Goes to the next item; false at the list's end, and after an error. */
  nextItem(): bool {
    if (!this.next(CLOSE_LIST)) return false;
    const frame = this.frames[this.depth - 1];
    frame.isInside = true;
    frame.count++;
    return true;
  }

  text(): string {
    return this.readString("a text is expected") ? this.last.decode() : "";
  }

  /** A list of texts. An empty one is always the same list: leave it as it is. */
  texts(): string[] {
    let list = NO_TEXTS;
    this.beginList();
    while (this.nextItem()) {
      if (list === NO_TEXTS) list = new Array<string>(0);
      list.push(this.text());
    }
    return list;
  }

  boolean(): bool {
    this.skipSpace();
    if (this.takeWord("true")) return true;
    if (!this.takeWord("false")) this.fail("true or false is expected");
    return false;
  }

  null(): bool {
    this.skipSpace();
    return this.takeWord("null") || this.fail("null is expected");
  }

  /** A whole number from 0 to 4294967295, written in digits alone. */
  u32(): u32 {
    const written = this.number();
    if (this.error.length > 0) return 0;
    let value: u64 = 0;
    let isFine = written.length <= 10;
    for (let i = 0; isFine && i < written.length; i++) {
      const code = written.charCodeAt(i);
      if (code < 0x30 || code > 0x39) isFine = false;
      else value = value * 10 + (code - 0x30);
    }
    if (isFine && value <= u32.MAX_VALUE) return <u32>value;
    this.at -= written.length;
    this.fail("a whole number from 0 to 4294967295 is expected");
    return 0;
  }

  /** A number as it is written. */
  number(): string {
    this.skipSpace();
    const start = this.at;
    if (!this.skipNumber()) {
      this.at = start;
      this.fail("a number is expected");
      return "";
    }
    return String.UTF8.decodeUnsafe(start, this.at - start);
  }

  /** Notes an error of the caller's own at the value that comes next. Always false. */
  fail(what: string): bool {
    if (this.error.length > 0) return false;
    const offset = this.at - this.start;
    this.error = this.path() + what + " (byte " + offset.toString() + ")";
    this.at = this.end;
    this.depth = 0;
    return false;
  }

  private path(): string {
    let path = "";
    for (let i = 0; i < this.depth; i++) {
      const frame = this.frames[i];
      if (!frame.isInside) break;
      if (frame.isList) {
        path += "[" + (frame.count - 1).toString() + "]";
      } else {
        const shown = min(frame.nameSize, SHOWN);
        path += (path.length > 0 ? "." : "") + ascii(frame.nameStart, shown) + (shown < frame.nameSize ? "…" : "");
      }
    }
    return path.length > 0 ? path + ": " : "";
  }

  private push(fields: JsonFields | null, isList: bool): bool {
    if (this.depth >= this.maxDepth) return this.fail("too many objects and lists in each other");
    if (this.depth == this.frames.length) this.frames.push(new Frame());
    const frame = this.frames[this.depth++];
    frame.fields = fields;
    frame.seen = 0;
    frame.count = 0;
    frame.isInside = false;
    frame.isList = isList;
    return true;
  }

  /** Goes over the comma; false at the end of the object or list. */
  private next(close: u8): bool {
    if (this.depth == 0) return this.fail("there is no object and no list");
    const frame = this.frames[this.depth - 1];
    if (frame.isList != (close == CLOSE_LIST)) return this.fail("a list is no object");
    frame.isInside = false;
    if (this.take(close)) {
      const fields = frame.fields;
      if (fields !== null && frame.seen != fields.all) {
        return this.fail("the field " + fields.firstMissing(frame.seen) + " is missing");
      }
      this.depth--;
      return false;
    }
    if (frame.count > 0 && !this.take(COMMA)) return this.fail("a comma or the end is expected");
    return true;
  }

  private readString(expected: string): bool {
    this.skipSpace();
    if (!this.isNext(QUOTE)) return this.fail(expected);
    const behind = this.last.find(this.at, this.end);
    if (behind == 0) return this.fail("this is no valid string");
    this.at = behind;
    return true;
  }

  private takeWord(word: string): bool {
    if (this.end - this.at < <usize>word.length) return false;
    for (let i = 0; i < word.length; i++) if (load<u8>(this.at + i) != <u8>word.charCodeAt(i)) return false;
    this.at += word.length;
    return true;
  }

  private skipNumber(): bool {
    if (this.isNext(MINUS)) this.at++;
    const whole = this.skipDigits();
    if (whole == 0 || (whole > 1 && load<u8>(this.at - whole) == 0x30)) return false;
    if (this.isNext(0x2e)) {
      this.at++;
      if (this.skipDigits() == 0) return false;
    }
    if (this.isNext(0x65) || this.isNext(0x45)) {
      this.at++;
      if (this.isNext(0x2b) || this.isNext(MINUS)) this.at++;
      if (this.skipDigits() == 0) return false;
    }
    return true;
  }

  private skipDigits(): usize {
    const start = this.at;
    while (this.at < this.end && isDigit(load<u8>(this.at))) this.at++;
    return this.at - start;
  }

  @inline private isNext(code: u8): bool {
    return this.at < this.end && load<u8>(this.at) == code;
  }

  /** Skips spaces, then takes that character if it comes next. */
  private take(code: u8): bool {
    this.skipSpace();
    if (!this.isNext(code)) return false;
    this.at++;
    return true;
  }

  private skipSpace(): void {
    while (this.at < this.end) {
      const code = load<u8>(this.at);
      if (code > 0x20 || (code != 0x20 && code != 0x0a && code != 0x0d && code != 0x09)) return;
      this.at++;
    }
  }
}

function isDigit(code: u8): bool {
  return code >= 0x30 && code <= 0x39;
}

/** For a message: bytes that are no printable ASCII show as "?". */
function ascii(start: usize, size: usize): string {
  let text = "";
  for (let i: usize = 0; i < size; i++) {
    const code = load<u8>(start + i);
    text += code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : "?";
  }
  return text;
}
