import { writeFileSync } from "node:fs";
import { errnoOf } from "./errors.ts";

/**
 * Leaves this process's memory, and with it private keys, out of core dumps, whether they go to a file or to a program (core(5),
 * coredump_filter). Processes that it starts inherit this. A kernel without the file writes no core dumps.
 */
export function keepMemoryOutOfCoreDumps(): void {
  try {
    writeFileSync("/proc/self/coredump_filter", "0");
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}
