import { readFileSync, rmSync } from "node:fs";
import { writePrivateFile } from "../lib/private-file.ts";
import { identify, isAlive, type ProcessIdentity } from "../lib/process-identity.ts";

/** An Envoy that this agent or an earlier one started. */
export interface ProcessRecord {
  readonly process: ProcessIdentity;
  /** How Envoy was started; undefined if the agent ended before it could write that down. */
  readonly fingerprint: string | undefined;
}

/** Writes down which process runs, next to the pid file. */
export function record(pidFile: string, { process, fingerprint }: ProcessRecord): void {
  writePrivateFile(`${pidFile}.json`, JSON.stringify({ ...process, fingerprint }));
}

export function forget(pidFile: string): void {
  rmSync(pidFile, { force: true });
  rmSync(`${pidFile}.json`, { force: true });
  rmSync(`${pidFile}.exit`, { force: true });
}

/** The recorded process if it is still alive: by its record, else by its pid if that process runs with `configFile`. */
export function findRecorded(pidFile: string, configFile: string): ProcessRecord | undefined {
  const known = readRecord(`${pidFile}.json`);
  if (known !== undefined && isAlive(known.process)) return known;
  const pid = Number(readText(pidFile));
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  // Another process may have this pid by now.
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

/** Empty if there is no such file. */
function readText(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}
