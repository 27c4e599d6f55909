// Compiles the built-in filters to dist/filters. Plain Node, called by agent/setup.mjs.
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const asc = join(root, "node_modules/assemblyscript/bin/asc.js");
const FLAGS = ["-O3", "--converge", "--noAssert", "--runtime", "incremental", "--transform", "json-as/transform"];
const ABORT = ["--use", "abort=assembly/log/abort_to_host"];

mkdirSync(join(root, "dist/filters"), { recursive: true });
for (const name of ["chain"]) {
  const out = join("dist/filters", `${name}.wasm`);
  const args = [asc, join("filters", `${name}.ts`), "--outFile", out, ...FLAGS, ...ABORT];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) process.exit(1);
}
