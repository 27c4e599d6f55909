import { join } from "node:path";

/**
 * The compiled CLI. `global-setup.ts` has brought it up to date, so a test need not start the launcher, which reads all
 * sources each time to see whether they changed.
 */
export const AMBIT: string = join(import.meta.dirname, "../../dist/agent/main.js");
