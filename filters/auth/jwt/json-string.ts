/** Where a string has ended: behind its closing quote. */
export class StringEnd {
  at: usize = 0;
}

const QUOTE: u8 = 0x22;
const BACKSLASH: u8 = 0x5c;

/** A JSON string that begins at `at`, with its quote; null for what is none, or holds NUL, which nothing that is meant well does. */
export function readString(at: usize, end: usize, behind: StringEnd): string | null {
  let result = "";
  let from = at + 1;
  let i = from;
  while (i < end) {
    const code = load<u8>(i);
    if (code == QUOTE) {
      behind.at = i + 1;
      return result + String.UTF8.decodeUnsafe(from, i - from);
    }
    if (code < 0x20) return null;
    if (code != BACKSLASH) {
      const size = sequenceSize(i, end);
      if (size == 0) return null;
      i += size;
      continue;
    }
    result += String.UTF8.decodeUnsafe(from, i - from);
    if (end - i < 2) return null;
    const unit = escaped(i + 1, end);
    if (unit <= 0) return null;
    result += String.fromCharCode(unit);
    i += load<u8>(i + 1) == 0x75 ? 6 : 2;
    from = i;
  }
  return null;
}

/** What stands for the escape whose letter is at `at`; -1 for none. */
function escaped(at: usize, end: usize): i32 {
  switch (<i32>load<u8>(at)) {
    case 0x22:
    case 0x5c:
    case 0x2f:
      return load<u8>(at);
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
    case 0x75:
      return fourHex(at + 1, end);
    default:
      return -1;
  }
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
