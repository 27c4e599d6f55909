/** Where a string has ended: behind its closing quote. */
export class StringEnd {
  at: usize = 0;
}

const QUOTE: u8 = 0x22;
const BACKSLASH: u8 = 0x5c;
const UNICODE: u8 = 0x75;

/** A JSON string that begins at `at`, with its quote; null for what is none, or holds NUL, which nothing that is meant well does. */
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

/** What stands between the quotes; one buffer for all of it, as anybody may send a text that is nothing but escapes. */
function unescaped(from: usize, end: usize): string | null {
  // No escape is shorter than what it stands for in UTF-8.
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

/** The letters behind a backslash, and what they stand for; -1 for others. */
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

/** A character of two escapes (RFC 8259 section 7); -1 where the second is not there. */
function pair(first: i32, at: usize, end: usize): i32 {
  if (first > 0xdbff || end - at < 6 || load<u8>(at) != BACKSLASH || load<u8>(at + 1) != UNICODE) return -1;
  const second = fourHex(at + 2, end);
  if (second < 0xdc00 || second > 0xdfff) return -1;
  return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
}

/** In UTF-8; where it ends. */
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

/** Bytes of the UTF-8 sequence at `at` (RFC 3629: no longer than it has to be); 0 for what is none. */
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
