const QUOTE: u8 = 0x22;
const BACKSLASH: u8 = 0x5c;
const UNICODE: u8 = 0x75;

/** A JSON string in memory, found and checked: to decode it cannot fail. */
export class JsonString {
  /** The bytes between its quotes. */
  start: usize = 0;
  size: usize = 0;
  /** It holds NUL, which hardly anybody but an attacker writes. */
  hasNul: bool = false;
  /** It holds half of a surrogate pair, which RFC 8259 allows in escapes (section 8.2), and which UTF-8 has no bytes for. */
  hasLoneSurrogate: bool = false;
  private hasEscape: bool = false;
  private isAscii: bool = true;

  /** Finds the string that begins at `at`, with its quote. Returns where it ends, after its quote; 0 if it is none. */
  find(at: usize, end: usize): usize {
    this.start = at + 1;
    this.hasNul = false;
    this.hasLoneSurrogate = false;
    this.hasEscape = false;
    this.isAscii = true;
    let i = at + 1;
    while (i < end) {
      const code = load<u8>(i);
      if (code == QUOTE) {
        this.size = i - this.start;
        return i + 1;
      }
      if (code < 0x20) return 0;
      let size: usize = 1;
      if (code == BACKSLASH) size = this.escapeSize(i, end);
      else if (code >= 0x80) size = this.sequenceSize(i, end);
      if (size == 0) return 0;
      i += size;
    }
    return 0;
  }

  /** True: its bytes are these, and it has no escapes. */
  equals(start: usize, size: usize): bool {
    return this.size == size && !this.hasEscape && memory.compare(this.start, start, size) == 0;
  }

  decode(): string {
    if (this.hasEscape) return this.unescaped();
    if (!this.isAscii) return String.UTF8.decodeUnsafe(this.start, this.size);
    const text = changetype<string>(__new(this.size << 1, idof<string>()));
    const to = changetype<usize>(text);
    for (let i: usize = 0; i < this.size; i++) store<u16>(to + (i << 1), <u16>load<u8>(this.start + i));
    return text;
  }

  /** The number of bytes of the escape at `at`; 0 if it is none. */
  private escapeSize(at: usize, end: usize): usize {
    this.hasEscape = true;
    if (end - at < 2) return 0;
    const letter = load<u8>(at + 1);
    if (letter != UNICODE) return escaped(letter) < 0 ? 0 : 2;
    const unit = fourHex(at + 2, end);
    if (unit < 0) return 0;
    if (unit == 0) this.hasNul = true;
    if (unit < 0xd800 || unit > 0xdfff) return 6;
    if (unit <= 0xdbff && secondHalf(at + 6, end) >= 0) return 12;
    this.hasLoneSurrogate = true;
    return 6;
  }

  private sequenceSize(at: usize, end: usize): usize {
    this.isAscii = false;
    return sequenceSize(at, end);
  }

  /** It gets one buffer, because a stranger may send a text of escapes only. */
  private unescaped(): string {
    // An escape is never shorter than its character in UTF-8, and half of a pair takes three bytes here.
    const buffer = new ArrayBuffer(<i32>this.size);
    const start = changetype<usize>(buffer);
    const end = this.start + this.size;
    let to = start;
    let at = this.start;
    while (at < end) {
      const code = load<u8>(at);
      if (code != BACKSLASH) {
        store<u8>(to++, code);
        at++;
        continue;
      }
      const letter = load<u8>(at + 1);
      let point = letter == UNICODE ? fourHex(at + 2, end) : escaped(letter);
      at += letter == UNICODE ? 6 : 2;
      if (point >= 0xd800 && point <= 0xdbff) {
        const second = secondHalf(at, end);
        if (second >= 0) {
          point = 0x10000 + ((point - 0xd800) << 10) + (second - 0xdc00);
          at += 6;
        }
      }
      to = writePoint(to, point);
    }
    return String.UTF8.decodeUnsafe(start, to - start);
  }
}

/** The characters that letters after a backslash mean; -1 for other letters. */
function escaped(letter: u8): i32 {
  switch (<i32>letter) {
    case 0x22:
    case 0x5c:
    case 0x2f:
      return letter;
    case 0x62:
      return 0x08;
    case 0x66:
      return 0x0c;
    case 0x6e:
      return 0x0a;
    case 0x72:
      return 0x0d;
    case 0x74:
      return 0x09;
    default:
      return -1;
  }
}

/** The second half of a character that is written as two escapes (RFC 8259 section 7); -1 if `at` has none. */
function secondHalf(at: usize, end: usize): i32 {
  if (at + 6 > end || load<u8>(at) != BACKSLASH || load<u8>(at + 1) != UNICODE) return -1;
  const unit = fourHex(at + 2, end);
  return unit >= 0xdc00 && unit <= 0xdfff ? unit : -1;
}

/** Writes a character in UTF-8. Returns where it ends. */
function writePoint(to: usize, point: i32): usize {
  if (point < 0x80) {
    store<u8>(to, <u8>point);
    return to + 1;
  }
  const more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  store<u8>(to, <u8>((0xff00 >> (more + 1)) | (point >> (6 * more))));
  for (let i = 1; i <= more; i++) store<u8>(to + i, <u8>(0x80 | ((point >> (6 * (more - i))) & 0x3f)));
  return to + more + 1;
}

function fourHex(at: usize, end: usize): i32 {
  if (at + 4 > end) return -1;
  let value = 0;
  for (let i: usize = 0; i < 4; i++) {
    const digit = hex(load<u8>(at + i));
    if (digit < 0) return -1;
    value = (value << 4) | digit;
  }
  return value;
}

/** The value of a hexadecimal digit; -1: it is none. */
export function hex(code: u8): i32 {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}

/** The number of bytes of the UTF-8 sequence at `at` (RFC 3629: as short as possible); 0 if there is no valid sequence. */
function sequenceSize(at: usize, end: usize): usize {
  const first = load<u8>(at);
  if (first < 0x80) return 1;
  const size: usize = first >= 0xc2 && first <= 0xdf ? 2 : first >= 0xe0 && first <= 0xef ? 3 : 4;
  if (first < 0xc2 || first > 0xf4 || end - at < size) return 0;
  for (let i: usize = 1; i < size; i++) if ((load<u8>(at + i) & 0xc0) != 0x80) return 0;
  const second = load<u8>(at + 1);
  if (first == 0xe0 && second < 0xa0) return 0;
  if (first == 0xed && second > 0x9f) return 0;
  if (first == 0xf0 && second < 0x90) return 0;
  return first == 0xf4 && second > 0x8f ? 0 : size;
}
