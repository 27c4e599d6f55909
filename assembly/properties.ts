import * as env from "./env";
import { Key } from "./key";
import { answer, answerSize, OUT, release, take, takeText } from "./memory";
import { WasmResultValues } from "./values";

/** A property; empty where it is not known. The parts of `path` are divided by NUL. */
export function get_property(path: string): ArrayBuffer {
  const found = property(new Key(path));
  return found === null ? new ArrayBuffer(0) : found;
}

export function set_property(path: string, data: ArrayBuffer): WasmResultValues {
  const key = new Key(path);
  return env.proxy_set_property(key.pointer, key.size, changetype<usize>(data), data.byteLength);
}

/** Asks for a property and leaves it where the host writes answers (`answer`, `answerSize`): makes no garbage. */
@inline
export function askProperty(path: Key): bool {
  return env.proxy_get_property(path.pointer, path.size, OUT, OUT + 4) == 0;
}

/** A property as its bytes; null where it is not known. Numbers come as 8 bytes, little endian. */
export function property(path: Key): ArrayBuffer | null {
  return askProperty(path) ? take() : null;
}

/** A property that is text; "" where it is not known. */
export function propertyText(path: Key): string {
  return askProperty(path) ? takeText() : "";
}

/** A property that is a number; `missing` where it is not known. */
export function propertyNumber(path: Key, missing: i64 = 0): i64 {
  if (!askProperty(path)) return missing;
  const number = answerSize() == 8 ? load<i64>(answer()) : missing;
  release();
  return number;
}
