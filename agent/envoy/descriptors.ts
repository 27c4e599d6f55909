import { readFileSync } from "node:fs";

/** Where `ulimit -H -n` says "unlimited"; the kernel's own limit for a process is `fs.nr_open`, by default this one. */
const UNLIMITED = 1_048_576;

/** How many descriptors a process of this agent may open: the hard limit of RLIMIT_NOFILE (getrlimit(2)). */
export function descriptorLimit(limits: string = readFileSync("/proc/self/limits", "utf8")): number {
  const [, hard = ""] = /^Max open files +\S+ +(\S+)/mu.exec(limits) ?? [];
  return /^\d+$/u.test(hard) ? Number(hard) : UNLIMITED;
}
