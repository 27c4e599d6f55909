import * as env from "./env";
import { Key, OUT } from "./memory";

/** Calls a foreign function of the host. True: it worked, and its answer is at `answerStart`. */
export function callForeign(name: Key, start: usize, size: usize): bool {
  return env.proxy_call_foreign_function(name.pointer, name.size, start, size, OUT, OUT + 4) == 0;
}
