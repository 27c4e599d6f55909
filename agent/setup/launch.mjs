#!/usr/bin/env node
// The `ambit` command. In a checkout it first builds what has changed since the last run.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const isCheckout = existsSync(fileURLToPath(new URL("../main.ts", import.meta.url)));

try {
  if (isCheckout) await (await import("./setup.mjs")).setup();
  await import("../../dist/agent/main.js");
} catch (error) {
  process.stderr.write(`ambit: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
