/** Where the last string ended: after its closing quote. */
export class StringEnd {
  at: usize = 0;
}

const QUOTE: u8 = 0x22;
const BACKSLASH: u8 = 0x5c;
const UNICODE: u8 = 0x75;

/**
 * The JSON string that begins at `at`, with its quote; null if there is none, or if it holds NUL, which only an attacker
 * sends.
 */
export function readString(at: usize, end: usize, behind: StringEnd): string | null {
  const from = at + 1;
  let i = from;
  let escapes = false;
  while (i < end) {
    const code = load<u8>(i);
    if (code == QUOTE) {
      behind.at = i + 1;
      return escapes ? unescaped(from, i) : String.UTF8.decodeUnsafe(from, i - from);
    }
    if (code < 0x20) return null;
    if (code == BACKSLASH) escapes = true;
    const size: usize = code == BACKSLASH ? 2 : sequenceSize(i, end);
    if (size == 0) return null;
    i += size;
  }
  return null;
}

/** The text between the quotes. It gets one buffer, because a client may send a text of escapes only. */
function unescaped(from: usize, end: usize): string | null {
  // An escape is never shorter than its character in UTF-8.
  const buffer = new ArrayBuffer(<i32>(end - from));
  const start = changetype<usize>(buffer);
  let to = start;
  let at = from;
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
    if (point >= 0xd800 && point <= 0xdfff) {
      point = pair(point, at, end);
      at += 6;
    }
    if (point <= 0) return null;
    to = writePoint(to, point);
  }
  return String.UTF8.decodeUnsafe(start, to - start);
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

/** A character written as two escapes (RFC 8259 section 7); -1 if the second one is missing. */
function pair(first: i32, at: usize, end: usize): i32 {
  if (first > 0xdbff || end - at < 6 || load<u8>(at) != BACKSLASH || load<u8>(at + 1) != UNICODE) return -1;
  const second = fourHex(at + 2, end);
  if (second < 0xdc00 || second > 0xdfff) return -1;
  return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
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
  if (end - at < 4) return -1;
  let value = 0;
  for (let i: usize = 0; i < 4; i++) {
    const digit = hex(load<u8>(at + i));
    if (digit < 0) return -1;
    value = (value << 4) | digit;
  }
  return value;
}

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
