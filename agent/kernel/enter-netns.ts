import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { AmbitError, messageOf } from "../lib/errors.ts";
import { currentNetnsCookie, setNetns } from "./loader/syscall.ts";

/**
 * Runs `work` inside the network namespace at `path` and comes back, also when it throws. Only the calling thread moves, so
 * `work` must not be asynchronous: code after an `await` would run in the wrong namespace. Throws AmbitError
 * `netns-unavailable` if the namespace cannot be entered.
 */
export function withNetns<T>(path: string, work: () => T extends PromiseLike<unknown> ? never : T): T {
  const home = openSync("/proc/thread-self/ns/net", "r");
  try {
    enter(path);
    try {
      return work();
    } finally {
      comeBack(home);
    }
  } finally {
    closeSync(home);
  }
}

function enter(path: string): void {
  let target: number | undefined;
  try {
    target = openSync(path, "r");
    setNetns(target);
  } catch (error) {
    throw new AmbitError({
      code: "netns-unavailable",
      kind: "system",
      what: `the network namespace '${path}' cannot be entered`,
      why: messageOf(error),
      remedy: "the pod may have ended; entering needs CAP_SYS_ADMIN",
      cause: error,
    });
  } finally {
    if (target !== undefined) closeSync(target);
  }
}

/** If the thread cannot leave a pod's namespace, the process ends: it would do the node's work inside the pod. */
function comeBack(home: number): void {
  try {
    setNetns(home);
  } catch (error) {
    process.stderr.write(`cannot return to the node's network namespace: ${messageOf(error)}\n`);
    process.abort();
  }
}

/** The cookie of the network namespace at `path`. Throws AmbitError `netns-unavailable`. */
export function netnsCookie(path: string): bigint {
  return withNetns(path, () => currentNetnsCookie());
}

/** Reads a setting (`net.ipv4.tcp_fwmark_accept`) of the calling thread's network namespace; undefined: the kernel lacks it. */
export function readSysctl(name: string): string | undefined {
  try {
    return readFileSync(sysctlPath(name), "utf8").trim();
  } catch {
    return undefined;
  }
}

export function writeSysctl(name: string, value: string): void {
  writeFileSync(sysctlPath(name), value);
}

function sysctlPath(name: string): string {
  return `/proc/sys/${name.replaceAll(".", "/")}`;
}
