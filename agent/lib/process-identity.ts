import { readFileSync } from "node:fs";
import { errnoOf } from "./errors.ts";

/** Identifies a process for good, while the kernel uses a pid again for a later process. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks after boot: field 22 of /proc/PID/stat (proc(5)). */
  readonly startTime: string;
}

/** The process that has that pid now; undefined if there is none, or only a zombie. */
export function identify(pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command's name stands in parentheses, and may contain spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state, startTime] = [fields[0], fields[19]];
    return state === "Z" || state === "X" || startTime === undefined ? undefined : { pid, startTime };
  } catch {
    return undefined;
  }
}

export function isAlive({ pid, startTime }: ProcessIdentity): boolean {
  return identify(pid)?.startTime === startTime;
}

/** Ends a process by SIGTERM, and by SIGKILL after `graceMs`. Resolves when the process is gone. */
export async function end(target: ProcessIdentity, graceMs: number): Promise<void> {
  const deadline = Date.now() + graceMs;
  signal(target, "SIGTERM");
  while (isAlive(target)) {
    if (Date.now() > deadline) signal(target, "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function signal(target: ProcessIdentity, name: "SIGTERM" | "SIGKILL"): void {
  if (!isAlive(target)) return;
  try {
    process.kill(target.pid, name);
  } catch (error) {
    // The process may have ended in between.
    if (errnoOf(error) !== "ESRCH") throw error;
  }
}
