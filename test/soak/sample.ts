import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { askUnix } from "../../agent/lib/unix-http.ts";
import { memoryMegabytes } from "../bench/process-cost.ts";
import type { LabStatus } from "../bench/bench-lab.ts";
import type { Sample } from "./judge.ts";

const MEGABYTE = 1024 * 1024;

/** Numbers as text, as Envoy writes 64 bits. */
interface EnvoyMemory {
  readonly allocated: string;
  readonly heap_size: string;
}

/** One look at everything that could leak, over all nodes of the lab; undefined while a process is being replaced. */
export async function takeSample(lab: string, { nodes, pods }: LabStatus): Promise<Sample | undefined> {
  // Of the first node, whose processes nobody kills: only what lives long shows what it keeps.
  const agents = nodes.slice(0, 1).map(({ agentPid }) => agentPid);
  const envoys = nodes.slice(0, 1).map(({ envoyPid }) => envoyPid);
  if (![...agents, ...envoys].every((pid) => Number.isInteger(pid) && existsSync(`/proc/${pid}`))) return undefined;
  try {
    const folders = nodes.map(({ adminSocket }) => dirname(adminSocket));
    const admins = folders.map((folder) => join(folder, "envoy-admin.sock"));
    const listeners = await Promise.all(admins.map((admin) => askUnix(admin, "/listeners", { timeoutMs: 3_000 })));
    const memory = JSON.parse((await askUnix(admins[0] ?? "", "/memory", { timeoutMs: 3_000 })).body) as EnvoyMemory;
    return {
      at: Date.now(),
      pods: pods.length,
      agentMemory: memoryMegabytes(agents),
      envoyMemory: memoryMegabytes(envoys),
      envoyAllocated: Number(memory.allocated) / MEGABYTE,
      envoyHeap: Number(memory.heap_size) / MEGABYTE,
      agentFiles: sum(agents.map(openFiles)),
      envoyFiles: sum(envoys.map(openFiles)),
      pins: sum(folders.map((folder) => filesBelow(join(folder, "bpf")))),
      netns: readdirSync("/run/netns").filter((name) => name.startsWith(`ambit-${lab}-`)).length,
      cgroups: cgroupsOf(lab),
      listeners: sum(listeners.map(({ body }) => body.trim().split("\n").length)),
    };
  } catch {
    // Something has ended while it was looked at; the next sample is not far.
    return undefined;
  }
}

function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function filesBelow(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory()).length;
}

function cgroupsOf(lab: string): number {
  const root = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].find((path) => existsSync(`${path}/cgroup.controllers`));
  if (root === undefined) return 0;
  const own = readdirSync(root, { recursive: true }).filter((path) => String(path).includes(lab));
  return own.filter((path) => statSync(join(root, String(path))).isDirectory()).length;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
