import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** CPU and memory of some processes. */
export interface Usage {
  /** Of one CPU, over the last seconds. */
  readonly cpuPercent: number;
  /** Resident memory. Memory that several processes share counts once for each. */
  readonly memoryBytes: number;
}

/** A shorter period says too little about CPU usage. */
const LEAST_MS = 1_000;
/** USER_HZ: /proc counts in hundredths of a second on every architecture. */
const TICK_US = 10_000;
const PAGE_BYTES = 4_096;

interface Mark {
  readonly atMs: number;
  readonly cpuUs: number;
  readonly cpuPercent: number;
}

/** Measures CPU and memory. CPU is the difference of two readings, so the last reading of each process is kept. */
export class UsageMeter {
  readonly #marks = new Map<string, Mark>();

  /** Usage of one process; undefined where it does not exist. */
  ofProcess(pid: number | undefined): Usage | undefined {
    if (pid === undefined) return undefined;
    try {
      return this.#usage(`process ${pid}`, cpuOfProcess(pid), memoryOf(pid));
    } catch {
      return undefined;
    }
  }

  /** Usage of all processes of a cgroup and of those below it; undefined where it does not exist. */
  ofCgroup(path: string): Usage | undefined {
    try {
      const [, used = "0"] = /^usage_usec (\d+)/mu.exec(readFileSync(join(path, "cpu.stat"), "utf8")) ?? [];
      const memory = processesOf(path).reduce((sum, pid) => sum + memoryOf(pid), 0);
      return this.#usage(`cgroup ${path}`, Number(used), memory);
    } catch {
      return undefined;
    }
  }

  /** Forgets processes and cgroups without a recent reading: they are gone. */
  tidy(olderThanMs: number): void {
    const limit = performance.now() - olderThanMs;
    for (const [key, { atMs }] of this.#marks) if (atMs < limit) this.#marks.delete(key);
  }

  #usage(key: string, cpuUs: number, memoryBytes: number): Usage {
    const atMs = performance.now();
    const before = this.#marks.get(key);
    if (before !== undefined && atMs - before.atMs < LEAST_MS) return { cpuPercent: before.cpuPercent, memoryBytes };
    const elapsedUs = before === undefined ? Infinity : (atMs - before.atMs) * 1_000;
    const cpuPercent = Math.max(0, ((cpuUs - (before?.cpuUs ?? 0)) / elapsedUs) * 100);
    this.#marks.set(key, { atMs, cpuUs, cpuPercent });
    return { cpuPercent, memoryBytes };
  }
}

function cpuOfProcess(pid: number): number {
  // The name in brackets may hold blanks; utime and stime are the 14th and 15th field (proc(5)).
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /su, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

function memoryOf(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * PAGE_BYTES;
  } catch {
    // It has just ended.
    return 0;
  }
}

function processesOf(cgroup: string): readonly number[] {
  const own = readFileSync(join(cgroup, "cgroup.procs"), "utf8").trim().split("\n").filter(Boolean).map(Number);
  const below = readdirSync(cgroup, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...own, ...below.flatMap(({ name }) => processesOf(join(cgroup, name)))];
}
