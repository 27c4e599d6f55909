import { Bytes } from "../bytes";

const SLASH: i32 = 0x2f;
const HASH: i32 = 0x23;
const QUESTION: i32 = 0x3f;
const BACKSLASH: i32 = 0x5c;
const PERCENT: i32 = 0x25;
const DOT: i32 = 0x2e;
const DIGITS = "0123456789ABCDEF";

function hex(code: i32): i32 {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  if (code >= 0x41 && code <= 0x46) return code - 0x41 + 10;
  if (code >= 0x61 && code <= 0x66) return code - 0x61 + 10;
  return -1;
}

/** RFC 3986 section 2.3, unreserved characters: percent-encoding never changes their meaning. */
function isUnreserved(code: i32): bool {
  if (code >= 0x30 && code <= 0x39) return true;
  if (code >= 0x41 && code <= 0x5a) return true;
  if (code >= 0x61 && code <= 0x7a) return true;
  return code == 0x2d || code == DOT || code == 0x5f || code == 0x7e;
}

/** Characters that no URI may hold are escaped by their bytes in UTF-8, as browsers do. */
function escaped(text: string): string {
  const bytes = String.UTF8.encode(text);
  let result = "";
  for (let i: usize = 0; i < <usize>bytes.byteLength; i++) {
    const code: i32 = load<u8>(changetype<usize>(bytes) + i);
    result += "%" + DIGITS.charAt(code >> 4) + DIGITS.charAt(code & 15);
  }
  return result;
}

/**
 * Decodes unreserved characters, writes other escapes in upper case, backslashes as slashes, and escapes characters outside
 * ASCII; null for an invalid path.
 */
function decode(path: string): string | null {
  let result = "";
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i);
    if (code <= 0x20 || code == 0x7f) return null;
    if (code == BACKSLASH) {
      result += "/";
    } else if (code == PERCENT) {
      if (i + 2 >= path.length) return null;
      const high = hex(path.charCodeAt(i + 1));
      const low = hex(path.charCodeAt(i + 2));
      if (high < 0 || low < 0) return null;
      const value = (high << 4) | low;
      if (value == 0) return null;
      // Some applications read an encoded backslash as a slash: policies and the application get a slash.
      if (isUnreserved(value)) result += String.fromCharCode(value);
      else if (value == BACKSLASH) result += "/";
      else result += "%" + path.substr(i + 1, 2).toUpperCase();
      i += 2;
    } else if (code >= 0x80) {
      const isPair = code >= 0xd800 && code < 0xdc00 && i + 1 < path.length;
      result += escaped(path.substr(i, isPair ? 2 : 1));
      if (isPair) i++;
    } else {
      result += String.fromCharCode(code);
    }
  }
  return result;
}

/** Dot segments removed (RFC 3986 section 5.2.4), slashes merged. */
function resolve(path: string): string {
  const segments = path.split("/");
  const kept: string[] = [];
  let trailing = false;
  for (let i = 0; i < segments.length; i++) {
    const segment = segments[i];
    trailing = segment.length == 0 || segment == "." || segment == "..";
    if (segment == "..") {
      if (kept.length > 0) kept.pop();
    } else if (segment.length > 0 && segment != ".") {
      kept.push(segment);
    }
  }
  if (kept.length == 0) return "/";
  return "/" + kept.join("/") + (trailing ? "/" : "");
}

/**
 * True if the path has one spelling only: then it is its own normal form, `judged` is the path without its query, and
 * nothing is decoded or allocated. False: `normalize` has to look at it.
 */
export function isNormal(raw: Bytes, judged: Bytes): bool {
  if (raw.size == 0 || load<u8>(raw.start) != SLASH) return false;
  let end = raw.size;
  for (let i: usize = 0; i < raw.size; i++) {
    const code: i32 = load<u8>(raw.start + i);
    if (code == HASH) return false;
    if (end < raw.size) continue;
    if (code == PERCENT || code == BACKSLASH || code <= 0x20 || code >= 0x7f) return false;
    if (code == QUESTION) {
      end = i;
    } else if (code == SLASH && i + 1 < raw.size) {
      const next: i32 = load<u8>(raw.start + i + 1);
      if (next == SLASH || next == DOT) return false;
    }
  }
  judged.at(raw.start, end);
  return true;
}

/** A request's path in the one form in which policy judges it, and the application receives it. */
export class NormalPath {
  /** The path without the query; the "*" of an OPTIONS request stays. */
  readonly path: string;
  /** The new value of `:path`: the normal form, with the query as it came. */
  readonly full: string;

  constructor(path: string, full: string) {
    this.path = path;
    this.full = full;
  }
}

/** null for a path that is no valid URI path: the request is answered 400. */
export function normalize(raw: string): NormalPath | null {
  const query = raw.indexOf("?");
  const fragment = raw.indexOf("#");
  if (fragment >= 0) return null;
  const end = query < 0 ? raw.length : query;
  if (raw == "*") return new NormalPath(raw, raw);
  const decoded = decode(raw.substring(0, end));
  if (decoded === null || decoded.length == 0 || decoded.charCodeAt(0) != SLASH) return null;
  const path = resolve(decoded);
  return new NormalPath(path, query < 0 ? path : path + raw.substring(end));
}
