import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe } from "vitest";

/** Set by continuous integration: a test that cannot run here is then a failure, never a skip. */
export const REQUIRE_ALL = process.env["AMBIT_REQUIRE_ALL"] === "1";

/** What this machine or this user lacks for tests with network namespaces, eBPF and Envoy; undefined: nothing. */
export const missingPrivilege: string | undefined = findMissing();

/**
 * A `describe` for tests that need root, network namespaces and eBPF. Without them it is skipped, and says so aloud;
 * where AMBIT_REQUIRE_ALL is 1 it fails instead.
 */
export function describePrivileged(name: string, tests: () => void): void {
  if (missingPrivilege !== undefined) skipAloud(name, missingPrivilege);
  describe.runIf(missingPrivilege === undefined)(name, tests);
}

/** For `it.runIf`: may a test run that needs a program? Where there is none, that is said, or fails, in the same way. */
export function hasProgram(program: string, test: string): boolean {
  const isThere = spawnSync("sh", ["-c", 'command -v "$0"', program]).status === 0;
  if (!isThere) skipAloud(test, `there is no program '${program}' on this machine`);
  return isThere;
}

function skipAloud(name: string, reason: string): void {
  if (REQUIRE_ALL) throw new Error(`'${name}' cannot run: ${reason}, and AMBIT_REQUIRE_ALL forbids to skip it`);
  console.warn(`SKIPPED ${name}: ${reason}`);
}

function findMissing(): string | undefined {
  if (process.platform !== "linux") return "this is not Linux";
  if (process.getuid?.() !== 0) return "not root";
  const cgroup2 = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].some((path) => existsSync(`${path}/cgroup.procs`));
  if (!cgroup2) return "no cgroup v2 hierarchy is mounted";
  if (!existsSync("/proc/self/ns/net")) return "the kernel has no network namespaces";
  return undefined;
}
