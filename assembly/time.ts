import * as env from "./env";
import { OUT } from "./memory";

/** Milliseconds since 1970. */
export function nowMilliseconds(): u64 {
  env.proxy_get_current_time_nanoseconds(OUT + 8);
  return load<u64>(OUT, 8) / 1_000_000;
}
