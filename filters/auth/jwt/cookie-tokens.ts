import { Key, Pairs, scratch, stream_context } from "../../../assembly/index";
import { areEqual } from "../../bytes";
import { requestHeaders } from "../../request-headers";
import { Location } from "./location";
import { anyTakenAway, Segments } from "./segments";

const COOKIE = new Key("cookie");
const SEMICOLON: u8 = 0x3b;
const SPACE: u8 = 0x20;
const QUOTE: u8 = 0x22;
const cookies = new Segments(SEMICOLON);
const pairs = new Pairs();

export function isCookies(name: usize, size: usize): bool {
  return size == COOKIE.size && areEqual(COOKIE.pointer, name, size);
}

/** Finds tokens in the cookies of a header (RFC 6265 section 4.2). */
export function noteCookies(list: Location[], start: usize, size: usize): void {
  cookies.begin(start, size);
  while (cookies.next()) {
    for (let i = 0; i < list.length; i++) {
      const location = list[i];
      if (<usize>location.name.byteLength != cookies.nameSize) continue;
      if (!areEqual(changetype<usize>(location.name), cookies.start, cookies.nameSize)) continue;
      if (location.count++ == 0) note(location);
    }
  }
}

function note(location: Location): void {
  const start = cookies.valueStart;
  const size = cookies.valueSize;
  const isQuoted = size > 2 && load<u8>(start) == QUOTE && load<u8>(start + size - 1) == QUOTE;
  location.token.at(isQuoted ? start + 1 : start, isQuoted ? size - 2 : size);
  location.whole.at(cookies.start, cookies.size);
}

/** Removes the cookies that the application must not get. */
export function takeCookiesAway(list: Location[]): void {
  if (!anyTakenAway(list) || !requestHeaders.each(pairs)) return;
  let room: usize = 0;
  // The result has two bytes between cookies ("; "); the request may have had one.
  while (pairs.next()) if (isCookies(pairs.keyStart, pairs.keySize)) room += 2 * pairs.valueSize + 2;
  const start = scratch(room);
  let at = start;
  requestHeaders.each(pairs);
  while (pairs.next()) {
    if (!isCookies(pairs.keyStart, pairs.keySize)) continue;
    cookies.begin(pairs.valueStart, pairs.valueSize);
    while (cookies.next()) {
      if (cookies.isTakenAway(list)) continue;
      if (at > start) {
        store<u8>(at++, SEMICOLON);
        store<u8>(at++, SPACE);
      }
      memory.copy(at, cookies.start, cookies.size);
      at += cookies.size;
    }
  }
  stream_context.headers.request.removeAt(COOKIE.pointer, COOKIE.size);
  if (at > start) stream_context.headers.request.setAt(COOKIE, start, at - start);
}
