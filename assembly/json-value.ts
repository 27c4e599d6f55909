import { JsonKind, JsonReader } from "./json-reader";

const NO_NAMES: string[] = [];
const NO_ITEMS: JsonValue[] = [];
/** Up to this many names a search is quicker than to sort them. */
const FEW = 16;
const TWICE = "a name comes twice";

/** A JSON value with everything in it. */
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

/** What a document may hold. The defaults bound the depth alone. */
export class JsonLimits {
  /** Objects and lists in each other. */
  depth: i32 = 64;
  values: i32 = i32.MAX_VALUE;
  /** Of one object. */
  names: i32 = i32.MAX_VALUE;
  /** The length of all members' paths, with the names of the objects around them. */
  paths: usize = usize.MAX_VALUE;
  /** Texts may hold NUL, and halves of surrogate pairs. */
  allowsOddText: bool = true;
}

/** A document that has been read, or the reason why not. */
export class JsonDocument {
  constructor(
    /** null: the bytes are no JSON, or more than the limits allow. */
    readonly value: JsonValue | null,
    /** What is wrong, with path and offset; "" if nothing is. */
    readonly error: string,
  ) {}
}

/** Reads a whole document (RFC 8259). It never traps, and refuses an object that has a name twice, because readers differ about it. */
export function parseJson(start: usize, size: usize, limits: JsonLimits = new JsonLimits()): JsonDocument {
  const reader = new JsonReader(start, size, limits.depth);
  const value = new Builder(reader, limits).value();
  return reader.isWhole ? new JsonDocument(value, "") : new JsonDocument(null, reader.error);
}

class Builder {
  private left: i32;
  /** The length of the path of the object that is being read, and how much all paths may still have. */
  private path: usize = 0;
  private pathsLeft: usize;

  constructor(
    private readonly reader: JsonReader,
    private readonly limits: JsonLimits,
  ) {
    this.left = limits.values;
    this.pathsLeft = limits.paths;
  }

  value(): JsonValue {
    const reader = this.reader;
    const kind = reader.peek();
    if (--this.left < 0) reader.fail("too many values");
    if (kind == JsonKind.Object) return this.object();
    if (kind == JsonKind.List) return this.list();
    if (kind == JsonKind.Text) return new JsonValue(kind, this.accepted(reader.text()));
    if (kind == JsonKind.Number) return new JsonValue(kind, reader.number());
    if (kind == JsonKind.Boolean) return new JsonValue(kind, reader.boolean() ? "true" : "false");
    if (kind == JsonKind.Null) reader.null();
    else reader.fail("a value is expected");
    return new JsonValue(JsonKind.Null, "null");
  }

  private object(): JsonValue {
    const result = new JsonValue(JsonKind.Object, "");
    const names = new Array<string>(0);
    const items = new Array<JsonValue>(0);
    const reader = this.reader;
    reader.beginObject();
    while (reader.nextMember()) {
      const name = this.accepted(reader.last.decode());
      if (names.length >= this.limits.names) reader.fail("too many names");
      if (names.length < FEW && names.includes(name)) reader.fail(TWICE);
      const before = this.path;
      this.path += <usize>name.length + 1;
      if (this.path > this.pathsLeft) reader.fail("too long paths");
      this.pathsLeft -= min(this.path, this.pathsLeft);
      names.push(name);
      items.push(this.value());
      this.path = before;
    }
    if (names.length > FEW && hasTwice(names)) reader.fail(TWICE);
    result.names = names;
    result.items = items;
    return result;
  }

  private list(): JsonValue {
    const result = new JsonValue(JsonKind.List, "");
    const items = new Array<JsonValue>(0);
    this.reader.beginList();
    while (this.reader.nextItem()) items.push(this.value());
    result.items = items;
    return result;
  }

  private accepted(text: string): string {
    const read = this.reader.last;
    if (!this.limits.allowsOddText && (read.hasNul || read.hasLoneSurrogate)) {
      this.reader.fail("a text with NUL or half of a surrogate pair");
    }
    return text;
  }
}

function hasTwice(names: string[]): bool {
  const sorted = names.slice(0).sort();
  for (let i = 1; i < sorted.length; i++) if (sorted[i] == sorted[i - 1]) return true;
  return false;
}
