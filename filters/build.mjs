// Compiles the built-in filters to dist/filters. Plain Node, called by agent/setup/setup.mjs. `node filters/build.mjs telemetry`
// compiles one of them alone (telemetry, auth, retry), for a measurement or a test.
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const asc = join(root, "node_modules/assemblyscript/bin/asc.js");
/**
 * 512 MB in pages of 64 kB, for each of Envoy's workers. A module that needs more traps: its request gets 503, and the module starts
 * anew. So no policy is skipped, and the node's Envoy lives on.
 */
const MAX_MEMORY = ["--maximumMemory", "8192"];
const FLAGS = ["-O3", "--noAssert", "--runtime", "minimal"];
const ABORT = ["--use", "abort=assembly/log/abort_to_host"];

mkdirSync(join(root, "dist/filters"), { recursive: true });
const names = process.argv.slice(2);
for (const name of names.length > 0 ? names : ["chain"]) {
  const out = join("dist/filters", `${name}.wasm`);
  const args = [asc, join("filters", `${name}.ts`), "--outFile", out, ...FLAGS, ...MAX_MEMORY, ...ABORT];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) process.exit(1);
}
