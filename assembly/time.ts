import * as env from "./env";
import { OUT } from "./memory";

/** Nanoseconds since 1970. */
export function get_current_time_nanoseconds(): u64 {
  env.proxy_get_current_time_nanoseconds(OUT + 8);
  return load<u64>(OUT, 8);
}

/** Milliseconds since 1970. */
export function nowMilliseconds(): u64 {
  return get_current_time_nanoseconds() / 1_000_000;
}

/** From now on `onTick` of the root context that asks is called so often; 0 ends it. */
export function set_tick_period_milliseconds(millisecond: u32): void {
  env.proxy_set_tick_period_milliseconds(millisecond);
}
