import * as env from "./env";
import { Key, OUT } from "./memory";

/** Calls a function that is the host's own: true where it has done so, and then its answer stands where `answerStart` says. */
export function callForeign(name: Key, start: usize, size: usize): bool {
  return env.proxy_call_foreign_function(name.pointer, name.size, start, size, OUT, OUT + 4) == 0;
}
