import * as env from "./env";
import { Key, OUT, take } from "./memory";

/** A property as its bytes; null where it is not known. Numbers come as 8 bytes, little endian. */
export function property(path: Key): ArrayBuffer | null {
  if (env.proxy_get_property(path.pointer, path.size, OUT, OUT + 4) != 0) return null;
  return take();
}

/** A property that is text; "" where it is not known. */
export function propertyText(path: Key): string {
  const bytes = property(path);
  return bytes === null ? "" : String.UTF8.decode(bytes);
}

/** A property that is a number; `missing` where it is not known. */
export function propertyNumber(path: Key, missing: i64 = 0): i64 {
  const bytes = property(path);
  return bytes === null || bytes.byteLength < 8 ? missing : load<i64>(changetype<usize>(bytes));
}
