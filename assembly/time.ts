import * as env from "./env";
import { OUT } from "./memory";

/** Milliseconds since 1970. */
export function nowMilliseconds(): u64 {
  env.proxy_get_current_time_nanoseconds(OUT + 8);
  return load<u64>(OUT, 8) / 1_000_000;
}

/** Nanoseconds since 1970. */
export function nowNanoseconds(): i64 {
  env.proxy_get_current_time_nanoseconds(OUT + 8);
  return load<i64>(OUT, 8);
}

/** For a root context: the interval of `proxy_on_tick`; 0 ends the calls. */
export function set_tick_period_milliseconds(period: u32): void {
  env.proxy_set_tick_period_milliseconds(period);
}
