import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * The command line that runs `ambit` with these arguments: this very build, so that what a lab starts later is what the
 * lab itself runs, whatever has happened to the sources since.
 */
export function selfCommand(...args: string[]): readonly [string, ...string[]] {
  const main = fileURLToPath(new URL("../../../agent/main.js", import.meta.url));
  return [process.execPath, existsSync(main) ? main : (process.argv[1] ?? main), ...args];
}
