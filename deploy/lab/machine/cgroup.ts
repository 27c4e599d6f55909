import { mkdirSync, readdirSync, readFileSync, rmdirSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { AmbitError, errnoOf } from "../../../agent/lib/errors.ts";

const CGROUP2_SUPER_MAGIC = 0x63677270;

/** Where cgroup2 is mounted: alone, or beside version 1. Throws AmbitError `cgroup2-not-found`. */
export function cgroupRoot(): string {
  for (const path of ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]) {
    try {
      if (statfsSync(path).type === CGROUP2_SUPER_MAGIC) return path;
    } catch {
      // Not there: try the next.
    }
  }
  throw new AmbitError({
    code: "cgroup2-not-found",
    kind: "system",
    what: "no cgroup2 file system is mounted",
    remedy: "mount -t cgroup2 none /sys/fs/cgroup",
  });
}

/** The cgroup that holds every process of a lab but its supervisor. */
export function labCgroup(lab: string): string {
  return join(cgroupRoot(), "ambit", lab);
}

export function authorityCgroup(lab: string): string {
  return join(labCgroup(lab), ".authority");
}

/** Cgroups of one node: its pods (one below each UID), the proxy, the kubelet, the agent. */
export interface NodeCgroups {
  readonly node: string;
  readonly pods: string;
  readonly proxy: string;
  readonly kubelet: string;
  readonly agent: string;
}

export function nodeCgroups(lab: string, name: string): NodeCgroups {
  const node = join(labCgroup(lab), name);
  const below = (part: string): string => join(node, part);
  return { node, pods: below("pods"), proxy: below("proxy"), kubelet: below("kubelet"), agent: below("agent") };
}

export function createNodeCgroups(cgroups: NodeCgroups): void {
  for (const path of Object.values(cgroups)) mkdirSync(path, { recursive: true });
}

/** Process ids in a cgroup and below it; none where the cgroup does not exist. */
export function processesIn(cgroup: string): readonly number[] {
  return treeOf(cgroup).flatMap((path) => {
    try {
      return readFileSync(join(path, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
    } catch {
      return [];
    }
  });
}

/** Sends SIGKILL to everything in a cgroup and below it, and waits until nothing is left (at most 10 s). */
export async function killCgroup(cgroup: string): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    const processes = processesIn(cgroup);
    if (processes.length === 0) return;
    // Repeated, because a process that was just being forked can miss the signal.
    if (attempt % 25 === 0) sendKill(cgroup, processes);
    await sleep(attempt < 20 ? 2 : 20);
  }
}

/** Kills the processes of a cgroup, then removes it with those below it. A missing cgroup is no error. */
export async function removeCgroup(cgroup: string): Promise<void> {
  await killCgroup(cgroup);
  for (const path of treeOf(cgroup).reverse()) await removeOne(path);
}

/** Removes a cgroup if it is empty. For the folder above the labs, once the last lab is gone. */
export function removeIfEmpty(cgroup: string): void {
  try {
    rmdirSync(cgroup);
  } catch {
    // Another lab uses it, or it is gone.
  }
}

function sendKill(cgroup: string, processes: readonly number[]): void {
  try {
    writeFileSync(join(cgroup, "cgroup.kill"), "1");
  } catch {
    // Kernels before 5.14.
    for (const pid of processes) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }
  }
}

/** Tries again while the cgroup is busy: a dead process stays in it for a moment after it has left `cgroup.procs`. */
async function removeOne(path: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      rmdirSync(path);
      return;
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return;
      if (errnoOf(error) !== "EBUSY" || attempt === 200) throw error;
      await sleep(10);
    }
  }
}

/** A cgroup and all below it, parents first. */
function treeOf(cgroup: string): string[] {
  try {
    const children = readdirSync(cgroup, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [cgroup, ...children.flatMap((entry) => treeOf(join(cgroup, entry.name)))];
  } catch {
    return [];
  }
}
