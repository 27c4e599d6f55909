import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writePrivateFile } from "../lib/private-file.ts";

/**
 * What a node tells the others of its pods. Who calls one of `captured` speaks mTLS to it; whoever does not know of that
 * yet, or still does, is waited for: see `capture-handshake.ts`.
 */
export interface CaptureReport {
  readonly node: string;
  /** Grows with each change of `captured`, over restarts of the agent, too. */
  readonly version: number;
  /** UIDs of pods that take mTLS. */
  readonly captured: readonly string[];
  /** By node: the version of its report that this node's proxy goes by. */
  readonly follows: Readonly<Record<string, number>>;
}

/** Reports lie in one folder that all nodes share, a file each. */
export function writeReport(folder: string, report: CaptureReport): void {
  writePrivateFile(join(folder, fileOf(report.node)), JSON.stringify(report));
}

/** What cannot be read is not there: a report is replaced as a whole. */
export function readReports(folder: string): readonly CaptureReport[] {
  return names(folder)
    .filter((name) => name.endsWith(SUFFIX))
    .flatMap((name) => {
      try {
        const report: unknown = JSON.parse(readFileSync(join(folder, name), "utf8"));
        return isReport(report) && name === fileOf(report.node) ? [report] : [];
      } catch {
        return [];
      }
    });
}

const SUFFIX = ".json";

function fileOf(node: string): string {
  return `${encodeURIComponent(node)}${SUFFIX}`;
}

function names(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isReport(value: unknown): value is CaptureReport {
  if (typeof value !== "object" || value === null) return false;
  const { node, version, captured, follows } = value as Partial<Record<keyof CaptureReport, unknown>>;
  return (
    typeof node === "string" &&
    typeof version === "number" &&
    Array.isArray(captured) &&
    captured.every((uid) => typeof uid === "string") &&
    typeof follows === "object" &&
    follows !== null &&
    Object.values(follows).every((each) => typeof each === "number")
  );
}
