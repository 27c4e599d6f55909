import * as env from "./env";
import { Key } from "./key";
import { OUT, take } from "./memory";
import { WasmResultValues } from "./values";

// Data that all workers of one VM id share.

export class GetSharedData {
  value: ArrayBuffer | null = null;
  result: WasmResultValues = WasmResultValues.Ok;
  /** The version that was read: another worker may write meanwhile. */
  cas: u32 = 0;
}

export function get_shared_data(key: string): GetSharedData {
  const shared = new GetSharedData();
  shared.result = askShared(new Key(key)) ? WasmResultValues.Ok : WasmResultValues.NotFound;
  if (shared.result == WasmResultValues.Ok) {
    shared.cas = sharedVersion();
    shared.value = take();
  }
  return shared;
}

/** CasMismatch where another was faster: read again and try again. A `cas` of 0 always wins. */
export function set_shared_data(key: string, value: ArrayBuffer, cas: u32 = 0): WasmResultValues {
  const name = new Key(key);
  return env.proxy_set_shared_data(name.pointer, name.size, changetype<usize>(value), value.byteLength, cas);
}

/** Asks for shared data and leaves it where the host writes answers: makes no garbage. */
@inline
export function askShared(key: Key): bool {
  return env.proxy_get_shared_data(key.pointer, key.size, OUT, OUT + 4, OUT + 8) == 0;
}

/** The version of what `askShared` has read. */
@inline
export function sharedVersion(): u32 {
  return load<u32>(OUT, 8);
}

@inline
export function writeShared(key: Key, value: usize, size: usize, cas: u32): bool {
  return env.proxy_set_shared_data(key.pointer, key.size, value, size, cas) == 0;
}
