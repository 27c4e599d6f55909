import { hex, Key, scratch, stream_context } from "../../../assembly/index";
import { areEqual, Bytes } from "../../bytes";
import { requestHeaders } from "../../request-headers";
import { Location } from "./location";
import { anyTakenAway, Segments } from "./segments";

const PATH = new Key(":path");
const QUESTION: u8 = 0x3f;
const AMPERSAND: u8 = 0x26;
const PERCENT: u8 = 0x25;
const PLUS: u8 = 0x2b;
const params = new Segments(AMPERSAND);
const query = new Bytes();
const name = new Bytes();

/** Finds tokens in the parameters of the request's query. */
export function noteParams(list: Location[]): void {
  if (list.length == 0 || !findQuery()) return;
  params.begin(query.start, query.size);
  while (params.next()) {
    decode(params.start, params.nameSize, name);
    for (let i = 0; i < list.length; i++) {
      const location = list[i];
      if (<usize>location.name.byteLength != name.size) continue;
      if (!areEqual(changetype<usize>(location.name), name.start, name.size)) continue;
      if (location.count++ > 0) continue;
      decode(params.valueStart, params.valueSize, location.token);
      location.whole.at(params.start, params.size);
    }
  }
}

function findQuery(): bool {
  const whole = requestHeaders.path;
  let at: usize = 0;
  while (at < whole.size && load<u8>(whole.start + at) != QUESTION) at++;
  if (at + 1 >= whole.size) return false;
  query.at(whole.start + at + 1, whole.size - at - 1);
  return true;
}

/** Decodes bytes as an application does: %41 is A, and a plus is a space. Invalid escapes stay. */
function decode(start: usize, size: usize, plain: Bytes): void {
  plain.at(start, size);
  if (!isEscaped(start, size)) return;
  const end = start + size;
  plain.start = scratch(size);
  let to = plain.start;
  for (let at = start; at < end; at++) {
    let code = load<u8>(at);
    if (code == PLUS) code = 0x20;
    if (code == PERCENT && end - at > 2) {
      const high = hex(load<u8>(at + 1));
      const low = hex(load<u8>(at + 2));
      if (high >= 0 && low >= 0) {
        code = <u8>((high << 4) | low);
        at += 2;
      }
    }
    store<u8>(to++, code);
  }
  plain.size = to - plain.start;
}

function isEscaped(start: usize, size: usize): bool {
  for (let i: usize = 0; i < size; i++) {
    const code = load<u8>(start + i);
    if (code == PERCENT || code == PLUS) return true;
  }
  return false;
}

/** Removes the parameters that the application must not get. */
export function takeParamsAway(list: Location[]): void {
  if (!anyTakenAway(list) || !findQuery()) return;
  const whole = requestHeaders.path;
  const start = scratch(whole.size);
  const before = query.start - 1 - whole.start;
  memory.copy(start, whole.start, before);
  let at = start + before;
  params.begin(query.start, query.size);
  while (params.next()) {
    if (params.isTakenAway(list)) continue;
    store<u8>(at, at == start + before ? QUESTION : AMPERSAND);
    memory.copy(at + 1, params.start, params.size);
    at += 1 + params.size;
  }
  stream_context.headers.request.setAt(PATH, start, at - start);
  requestHeaders.path.at(start, at - start);
}
