import * as env from "./env";
import { answerSize, answerStart, Key, OUT, take } from "./memory";

/** Asks for a property. True: it is known, and its value is at `answerStart`. */
export function readProperty(path: Key): bool {
  return env.proxy_get_property(path.pointer, path.size, OUT, OUT + 4) == 0;
}

/** A property as its bytes; null if it is unknown. Numbers come as 8 bytes, little endian. */
export function property(path: Key): ArrayBuffer | null {
  return readProperty(path) ? take() : null;
}

/** A property that is text; "" if it is unknown. */
export function propertyText(path: Key): string {
  return readProperty(path) ? String.UTF8.decodeUnsafe(answerStart(), answerSize()) : "";
}

/** A property that is a number; `missing` if it is unknown. */
export function propertyNumber(path: Key, missing: i64 = 0): i64 {
  return readProperty(path) && answerSize() >= 8 ? load<i64>(answerStart()) : missing;
}

/** Sets a property of the stream: Envoy keeps it as filter state `wasm.` and its path, where the access log can read it. */
export function setProperty(path: Key, value: string): void {
  const bytes = String.UTF8.encode(value);
  env.proxy_set_property(path.pointer, path.size, changetype<usize>(bytes), bytes.byteLength);
}
