import { readFileSync } from "node:fs";

/** A thread that uses at least this share of a CPU is working. A thread below it waits, perhaps for ever. */
const BUSY_SHARE = 0.2;
/** A busy Envoy may be silent this many times as long: it may be loading a large configuration. */
const BUSY_PATIENCE = 6;
/** One unanswered request proves little: this process itself may have been held up. */
const MIN_UNANSWERED = 3;

/** What is known of a process that did not answer. */
export interface Silence {
  readonly sinceMs: number;
  readonly forMs: number;
  readonly cause: "stopped" | "busy" | "idle";
  /** It has been silent for longer than is allowed. */
  readonly hung: boolean;
}

/** Distinguishes a proxy that hangs from a busy one, by the length of its silence and the CPU time of its main thread. */
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
