import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { APPS, type MeshLab } from "../mesh/mesh-lab.ts";

/** What `apps/flood.mjs` tells of its connections. */
export interface FloodOutcome {
  readonly opened: number;
  readonly refused: number;
  readonly closed: number;
}

type FloodKind = "half" | "silent" | "ports" | "names" | "continuation" | "reset";

/** An attack out of a pod. `during` runs while everything that was sent is held open. */
export async function flood(
  lab: MeshLab,
  from: string,
  [kind, host, port, count]: readonly [kind: FloodKind, host: string, port: number, count: number],
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

/** The memory of a process that is not swapped out, in MB. */
export function residentMegabytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+)/mu.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) / 1024;
}
