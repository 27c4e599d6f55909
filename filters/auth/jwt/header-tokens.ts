import { areEqual } from "../../bytes";
import { Location } from "./location";

const SPACE: u8 = 0x20;
const TAB: u8 = 0x09;
const COMMA: u8 = 0x2c;

/** Finds a token in a header. */
export function noteHeader(list: Location[], name: usize, nameSize: usize, value: usize, size: usize): void {
  for (let i = 0; i < list.length; i++) {
    const location = list[i];
    if (<usize>location.name.byteLength != nameSize) continue;
    if (areEqual(changetype<usize>(location.name), name, nameSize)) noteValue(location, value, size);
  }
}

function noteValue(location: Location, start: usize, size: usize): void {
  const prefixSize = <usize>location.prefix.byteLength;
  if (!startsWith(location, start, size)) {
    // A header with another scheme holds no token. Some applications would read a second value after a comma.
    if (location.isScheme && hasLaterValue(location, start, size)) location.count += 2;
    return;
  }
  if (location.count++ > 0) return;
  const last = start + size;
  // Envoy has trimmed the space after a scheme without a value.
  let from = size < prefixSize ? last : start + prefixSize;
  let end = last;
  while (from < end && isBlank(load<u8>(from))) from++;
  while (end > from && isBlank(load<u8>(end - 1))) end--;
  location.token.at(from, end - from);
}

function startsWith(location: Location, start: usize, size: usize): bool {
  const prefix = changetype<usize>(location.prefix);
  const prefixSize = <usize>location.prefix.byteLength;
  if (size < prefixSize) {
    return location.isScheme && size + 1 == prefixSize && isScheme(prefix, start, size);
  }
  return location.isScheme ? isScheme(prefix, start, prefixSize) : areEqual(prefix, start, prefixSize);
}

/** The scheme in upper or lower case, and a space or tab after it. */
function isScheme(scheme: usize, start: usize, size: usize): bool {
  for (let i: usize = 0; i < size; i++) {
    const code = load<u8>(start + i);
    const wanted = load<u8>(scheme + i) | 0x20;
    if (wanted == SPACE ? !isBlank(code) : (code | 0x20) != wanted) return false;
  }
  return true;
}

function hasLaterValue(location: Location, start: usize, size: usize): bool {
  const end = start + size;
  for (let at = start; at < end; at++) {
    if (load<u8>(at) != COMMA) continue;
    let from = at + 1;
    while (from < end && isBlank(load<u8>(from))) from++;
    if (startsWith(location, from, end - from)) return true;
  }
  return false;
}

export function isBlank(code: u8): bool {
  return code == SPACE || code == TAB;
}
