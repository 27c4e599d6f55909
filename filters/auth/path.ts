import { hex, scratch } from "../../assembly/index";
import { areEqual, Bytes } from "../bytes";

const SLASH: u8 = 0x2f;
const HASH: u8 = 0x23;
const QUESTION: u8 = 0x3f;
const BACKSLASH: u8 = 0x5c;
const PERCENT: u8 = 0x25;
const DOT: u8 = 0x2e;
const STAR: u8 = 0x2a;

function digit(value: u8): u8 {
  return value < 10 ? 0x30 + value : 0x41 + value - 10;
}

/** RFC 3986 section 2.3, unreserved characters: percent-encoding never changes their meaning. */
function isUnreserved(code: u8): bool {
  if (code >= 0x30 && code <= 0x39) return true;
  if (code >= 0x41 && code <= 0x5a) return true;
  if (code >= 0x61 && code <= 0x7a) return true;
  return code == 0x2d || code == DOT || code == 0x5f || code == 0x7e;
}

/**
 * True if the path has one spelling only: then it is its own normal form, `judged` is the path without its query, and
 * nothing is decoded or allocated. False: `normalize` has to look at it.
 */
export function isNormal(raw: Bytes, judged: Bytes): bool {
  if (raw.size == 0 || load<u8>(raw.start) != SLASH) return false;
  let end = raw.size;
  for (let i: usize = 0; i < raw.size; i++) {
    const code = load<u8>(raw.start + i);
    if (code == HASH) return false;
    if (end < raw.size) continue;
    if (code == PERCENT || code == BACKSLASH || code <= 0x20 || code >= 0x7f) return false;
    if (code == QUESTION) {
      end = i;
    } else if (code == SLASH && i + 1 < raw.size) {
      const next = load<u8>(raw.start + i + 1);
      if (next == SLASH || next == DOT) return false;
    }
  }
  judged.at(raw.start, end);
  return true;
}

/**
 * A request's path in the one form in which policy judges it, and the application receives it. It is written in one pass into
 * one buffer, because a stranger chooses the path: each byte is written once, and removed at most once.
 */
class NormalPath {
  /** Without the query; the "*" of an OPTIONS request stays. */
  readonly path: Bytes = new Bytes();
  /** The new value of `:path`: the normal form, with the query as it came. */
  readonly full: Bytes = new Bytes();
  private start: usize = 0;
  private to: usize = 0;
  /** Where the last segment begins, after its slash. */
  private segment: usize = 0;
  private hasBegun: bool = false;

  /** False for a path that is no valid URI path: the request is answered 400. Valid until the callback ends. */
  read(raw: Bytes): bool {
    const last = raw.start + raw.size;
    let end = last;
    let escapes: usize = 0;
    for (let at = raw.start; at < last; at++) {
      const code = load<u8>(at);
      if (code == HASH) return false;
      if (code == QUESTION && end == last) end = at;
      if (code >= 0x80) escapes++;
    }
    if (raw.size == 1 && load<u8>(raw.start) == STAR) {
      this.path.at(raw.start, 1);
      this.full.at(raw.start, 1);
      return true;
    }
    this.start = scratch(raw.size + 2 * escapes + 1);
    store<u8>(this.start, SLASH);
    this.to = this.start + 1;
    this.segment = this.to;
    this.hasBegun = false;
    if (!this.decode(raw.start, end) || !this.hasBegun) return false;
    this.endSegment();
    this.path.at(this.start, this.to - this.start);
    memory.copy(this.to, end, last - end);
    this.full.at(this.start, this.to - this.start + (last - end));
    return true;
  }

  /** The application would get another path than the one that is judged. */
  differs(raw: Bytes): bool {
    return this.full.size != raw.size || !areEqual(this.full.start, raw.start, raw.size);
  }

  /**
   * Decodes unreserved characters, writes other escapes in upper case, backslashes as slashes, and escapes bytes outside ASCII,
   * as browsers do.
   */
  private decode(from: usize, end: usize): bool {
    for (let at = from; at < end; at++) {
      const code = load<u8>(at);
      if (code <= 0x20 || code == 0x7f) return false;
      if (code == SLASH || code == BACKSLASH) {
        this.slash();
      } else if (!this.hasBegun) {
        if (code != PERCENT || end - at < 3 || load<u8>(at + 1) != 0x35 || hex(load<u8>(at + 2)) != 12) return false;
        this.slash();
        at += 2;
      } else if (code == PERCENT) {
        if (end - at < 3) return false;
        const high = hex(load<u8>(at + 1));
        const low = hex(load<u8>(at + 2));
        const value = <u8>((high << 4) | low);
        if (high < 0 || low < 0 || value == 0) return false;
        // Some applications read an encoded backslash as a slash: policies and the application get a slash.
        if (value == BACKSLASH) this.slash();
        else if (isUnreserved(value)) store<u8>(this.to++, value);
        else this.escape(value);
        at += 2;
      } else if (code >= 0x80) {
        this.escape(code);
      } else {
        store<u8>(this.to++, code);
      }
    }
    return true;
  }

  private escape(code: u8): void {
    store<u8>(this.to, PERCENT);
    store<u8>(this.to, digit(code >> 4), 1);
    store<u8>(this.to, digit(code & 15), 2);
    this.to += 3;
  }

  /** The buffer begins with the first slash. */
  private slash(): void {
    this.hasBegun = true;
    this.endSegment();
    // Slashes are merged.
    if (this.to == this.segment) return;
    store<u8>(this.to++, SLASH);
    this.segment = this.to;
  }

  /** Removes dot segments (RFC 3986 section 5.2.4). */
  private endSegment(): void {
    const size = this.to - this.segment;
    if (size == 0 || size > 2 || load<u8>(this.segment) != DOT) return;
    if (size == 2 && load<u8>(this.segment + 1) != DOT) return;
    this.to = this.segment;
    if (size == 1 || this.to == this.start + 1) return;
    this.to--;
    while (load<u8>(this.to - 1) != SLASH) this.to--;
    this.segment = this.to;
  }
}

/** One object is enough, because the module handles one request at a time. */
export const normalPath = new NormalPath();
