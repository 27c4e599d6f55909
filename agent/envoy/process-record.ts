import { readFileSync, rmSync } from "node:fs";
import { writePrivateFile } from "../lib/private-file.ts";
import { identify, isAlive, type ProcessIdentity } from "../lib/process-identity.ts";

/** An Envoy that an agent started, possibly one before this one. */
export interface ProcessRecord {
  readonly process: ProcessIdentity;
  /** How it was started; undefined where the agent ended before it could write that down. */
  readonly fingerprint: string | undefined;
}

/** Writes down who runs, next to the pid file. */
export function record(pidFile: string, { process, fingerprint }: ProcessRecord): void {
  writePrivateFile(`${pidFile}.json`, JSON.stringify({ ...process, fingerprint }));
}

export function forget(pidFile: string): void {
  rmSync(pidFile, { force: true });
  rmSync(`${pidFile}.json`, { force: true });
  rmSync(`${pidFile}.exit`, { force: true });
}

/** The recorded process, if it still lives: by its record, else by its pid if that runs with `configFile`. */
export function findRecorded(pidFile: string, configFile: string): ProcessRecord | undefined {
  const known = readRecord(`${pidFile}.json`);
  if (known !== undefined && isAlive(known.process)) return known;
  const pid = Number(readText(pidFile));
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  // The pid may be another process' by now.
  if (!readText(`/proc/${pid}/cmdline`).split("\0").includes(configFile)) return undefined;
  const process = identify(pid);
  return process && { process, fingerprint: undefined };
}

function readRecord(path: string): ProcessRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(readText(path));
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { pid, startTime, fingerprint } = value as Readonly<Record<string, unknown>>;
  if (typeof pid !== "number" || typeof startTime !== "string" || typeof fingerprint !== "string") return undefined;
  return { process: { pid, startTime }, fingerprint };
}

/** Empty where there is no such file. */
function readText(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}
