import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * The command line that runs this build of `ambit` with these arguments. A lab so starts its later processes from the same
 * build, even if the sources have changed since.
 */
export function selfCommand(...args: string[]): readonly [string, ...string[]] {
  const main = fileURLToPath(new URL("../../../agent/main.js", import.meta.url));
  return [process.execPath, existsSync(main) ? main : (process.argv[1] ?? main), ...args];
}
