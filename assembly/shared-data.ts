import * as env from "./env";
import { Key, OUT, take } from "./memory";

/** A value that other workers may change; `cas` is the version that was read. */
export class SharedValue {
  readonly bytes: ArrayBuffer | null;
  readonly cas: u32;

  constructor(bytes: ArrayBuffer | null, cas: u32) {
    this.bytes = bytes;
    this.cas = cas;
  }
}

/** Data that all workers of the module's VM share. */
export function getShared(key: Key): SharedValue {
  const missing = env.proxy_get_shared_data(key.pointer, key.size, OUT, OUT + 4, OUT + 8) != 0;
  return missing ? new SharedValue(null, 0) : new SharedValue(take(), load<u32>(OUT, 8));
}

/** False if another worker has written meanwhile: then read and write again. A `cas` of 0 always succeeds. */
export function setShared(key: Key, value: ArrayBuffer, cas: u32): bool {
  return env.proxy_set_shared_data(key.pointer, key.size, changetype<usize>(value), value.byteLength, cas) == 0;
}
