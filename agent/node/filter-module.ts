import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AmbitError } from "../lib/errors.ts";
import { packageRoot } from "../lib/package.ts";

/**
 * Puts the built-in filters' module where Envoy can open it; its path. The name holds the content's hash, so that an
 * Envoy that runs keeps the module it has, and a new version is a new file.
 */
export function installFilterModule(stateDir: string): string {
  const bytes = filterModule();
  const folder = join(stateDir, "filters");
  const path = join(folder, `chain-${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}.wasm`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${path}.new`, bytes);
  renameSync(`${path}.new`, path);
  return path;
}

/** The bytes of the built-in filters' module. */
export function filterModule(): Buffer {
  const built = join(packageRoot(), "dist/filters/chain.wasm");
  if (!existsSync(built)) {
    throw new AmbitError({
      code: "filters-not-built",
      kind: "system",
      what: "the built-in filters are not there",
      why: `${built} does not exist`,
      remedy: "run 'npm run build'",
    });
  }
  return readFileSync(built);
}
