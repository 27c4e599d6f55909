import { readFileSync } from "node:fs";

/** A thread that has used this share of the time works, and does not wait for something that never comes. */
const BUSY_SHARE = 0.2;
/** So many times as long may it be silent then: it may be taking in a large configuration. */
const BUSY_PATIENCE = 6;
/** One question may be lost where this process itself was held up. */
const MIN_UNANSWERED = 3;

/** What is known of a process that was asked and did not answer. */
export interface Silence {
  readonly sinceMs: number;
  readonly forMs: number;
  readonly cause: "stopped" | "busy" | "idle";
  /** It has been silent for longer than it may. */
  readonly hung: boolean;
}

/** Tells a proxy that hangs from one that is busy: by how long it has not answered, and whether its main thread runs. */
export class Liveness {
  readonly #limitMs: number;
  #first: { readonly atMs: number; readonly cpuMs: number } | undefined;
  #unanswered = 0;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  answered(): void {
    this.#first = undefined;
    this.#unanswered = 0;
  }

  unanswered(pid: number): Silence {
    const nowMs = Date.now();
    const { state, cpuMs } = mainThread(pid);
    this.#first ??= { atMs: nowMs, cpuMs };
    this.#unanswered++;
    const forMs = nowMs - this.#first.atMs;
    const isBusy = cpuMs - this.#first.cpuMs > forMs * BUSY_SHARE;
    const cause = state === "T" ? "stopped" : isBusy ? "busy" : "idle";
    const limit = cause === "busy" ? this.#limitMs * BUSY_PATIENCE : this.#limitMs;
    return { sinceMs: this.#first.atMs, forMs, cause, hung: forMs >= limit && this.#unanswered >= MIN_UNANSWERED };
  }
}

/** Fields 3, 14 and 15 of /proc/PID/task/PID/stat (proc(5)); a clock tick is 10 ms on every architecture that Node has. */
function mainThread(pid: number): { readonly state: string; readonly cpuMs: number } {
  try {
    const stat = readFileSync(`/proc/${pid}/task/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0] ?? "", cpuMs: (Number(fields[11]) + Number(fields[12])) * 10 };
  } catch {
    return { state: "", cpuMs: 0 };
  }
}
