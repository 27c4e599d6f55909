import { runCli } from "./cli/index.ts";

const code = await runCli(process.argv.slice(2));
// What failed half-way may have left something open: the process would stay, and whoever watches it take it for alive.
if (code !== 0) process.exit(code);
process.exitCode = code;
