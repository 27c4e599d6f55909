import { runCli } from "./cli/index.ts";

const code = await runCli(process.argv.slice(2));
// A command that failed half-way may have left something open. Then the process would stay, and a supervisor would take
// it for alive.
if (code !== 0) process.exit(code);
process.exitCode = code;
