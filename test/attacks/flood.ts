import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { APPS, type MeshLab } from "../mesh/mesh-lab.ts";

/** What `apps/flood.mjs` tells of its connections. */
export interface FloodOutcome {
  readonly opened: number;
  readonly refused: number;
  readonly closed: number;
}

/** What to send, where, and how often. */
export type Flood = readonly [kind: FloodKind, host: string, port: number, count: number];

type FloodKind = "half" | "silent" | "ports" | "names" | "continuation" | "reset";

/** An attack out of a pod. `during` runs while everything that was sent is held open. */
export async function flood(
  lab: MeshLab,
  from: string,
  [kind, host, port, count]: Flood,
  during: () => Promise<void>,
): Promise<FloodOutcome> {
  const args = [join(APPS, "flood.mjs"), kind, host, String(port), String(count)];
  const child = lab.start(from, process.execPath, ...args);
  try {
    if (child.stdout === null) throw new Error("the attack has no output");
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const { value } = await lines.next();
    if (value !== "sent") throw new Error(`the attack did not begin: ${String(value)}`);
    await during();
    child.stdin?.end();
    return JSON.parse(String((await lines.next()).value)) as FloodOutcome;
  } finally {
    child.kill();
  }
}

/** The memory of a process, in MB: now, or at most since `forgetPeak` (proc_pid_status(5), VmHWM). */
export function residentMegabytes(pid: number, when: "now" | "peak" = "now"): number {
  const line = when === "now" ? /^VmRSS:\s+(\d+)/mu : /^VmHWM:\s+(\d+)/mu;
  const [, kilobytes] = line.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) / 1024;
}

/** Resets the peak of a process's memory (proc_pid_clear_refs(5)). */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}
