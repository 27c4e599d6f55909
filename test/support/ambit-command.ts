import { join } from "node:path";
import { packageRoot } from "../../agent/lib/package.ts";

/**
 * The compiled CLI. `global-setup.ts` has brought it up to date, so a test need not start the launcher, which reads all
 * sources each time to see whether they changed.
 */
export const AMBIT: string = join(packageRoot(), "dist/agent/main.js");
