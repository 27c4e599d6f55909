import { accessSync, constants, existsSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { AmbitError } from "../lib/errors.ts";
import { fetchEnvoy } from "./fetch-envoy.ts";
import { probeEnvoy } from "./probe-envoy.ts";

/** Configurations are written for this version. Other patch releases of the same minor version are accepted, too. */
export const ENVOY_VERSION = "1.40.0";

export interface EnvoyBinary {
  readonly path: string;
  readonly version: string;
}

/** The path of a fetched Envoy. */
export function envoyCachePath(): string {
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  return join(cache, "ambit", `envoy-${ENVOY_VERSION}`, "envoy");
}

/**
 * The Envoy of this machine: `AMBIT_ENVOY` (a path), else `envoy` on PATH if its version fits, else an Envoy that was fetched
 * before; undefined if there is none. Throws AmbitError `envoy-not-usable` if AMBIT_ENVOY names anything but an Envoy of a
 * version that fits.
 */
export async function findEnvoy(): Promise<EnvoyBinary | undefined> {
  const named = process.env["AMBIT_ENVOY"];
  if (named !== undefined && named !== "") {
    const found = await probeEnvoy(named);
    if ("version" in found && fits(found.version)) return { path: named, version: found.version };
    throw new AmbitError({
      code: "envoy-not-usable",
      kind: "user",
      what: `AMBIT_ENVOY is '${named}', which Ambit cannot use`,
      why:
        "version" in found
          ? `it is Envoy ${found.version}, and configurations are written for ${minor(ENVOY_VERSION)}`
          : found.why,
      remedy: `give the path of an Envoy ${minor(ENVOY_VERSION)}.x, or unset AMBIT_ENVOY and let Ambit find one`,
    });
  }
  const candidates = [onPath("envoy"), envoyCachePath()].filter((path) => path !== undefined && existsSync(path));
  for (const path of candidates) {
    if (path === undefined) continue;
    const found = await probeEnvoy(path);
    if ("version" in found && fits(found.version)) return { path, version: found.version };
  }
  return undefined;
}

/** Like `findEnvoy`, but fetches an Envoy if the machine has none. */
export async function ensureEnvoy(): Promise<EnvoyBinary> {
  const found = await findEnvoy();
  if (found !== undefined) return found;
  await fetchEnvoy(ENVOY_VERSION, envoyCachePath());
  return { path: envoyCachePath(), version: ENVOY_VERSION };
}

function fits(version: string): boolean {
  return minor(version) === minor(ENVOY_VERSION);
}

function minor(version: string): string {
  return version.split(".").slice(0, 2).join(".");
}

function onPath(name: string): string | undefined {
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
