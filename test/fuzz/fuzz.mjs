// `npm run fuzz`: compiles the fuzzer, which is TypeScript, and runs it.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setup } from "../../agent/setup/setup.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
await setup();
const compiler = join(root, "node_modules/typescript/bin/tsc");
execFileSync(process.execPath, [compiler, "--noCheck", "-p", join(root, "test/fuzz/tsconfig.json")], {
  stdio: "inherit",
});
const { main } = await import(join(root, "dist/fuzz/test/fuzz/main.js"));
process.exitCode = await main(process.argv.slice(2));
