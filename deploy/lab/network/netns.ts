import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LabPaths } from "../machine/lab-paths.ts";
import { run, tryRun } from "../machine/run-command.ts";

const NETNS_DIR = "/run/netns";

/** `ambit-<lab>-<part>`: `part` is a node's name, the first letters of a pod's UID, or `fabric`. */
export function netnsName(lab: string, part: string): string {
  return `ambit-${lab}-${part}`;
}

export function netnsPath(name: string): string {
  return join(NETNS_DIR, name);
}

/** Makes a network namespace with loopback up. Records its name first, so that `lab down` finds it whichever process dies. */
export async function addNetns(paths: LabPaths, name: string): Promise<void> {
  mkdirSync(paths.netnsRecords, { recursive: true });
  writeFileSync(join(paths.netnsRecords, name), "");
  await run("ip", ["netns", "add", name]);
  await ipBatch(name, ["link set lo up"]);
}

/** Removes a network namespace and all that is in it. A missing namespace is no error. */
export async function removeNetns(paths: LabPaths, name: string): Promise<void> {
  if (existsSync(netnsPath(name))) await tryRun("ip", ["netns", "delete", name]);
  if (!existsSync(netnsPath(name))) rmSync(join(paths.netnsRecords, name), { force: true });
}

/** The network namespaces that a lab has made and not removed. */
export function recordedNetns(paths: LabPaths): readonly string[] {
  try {
    return readdirSync(paths.netnsRecords);
  } catch {
    return [];
  }
}

/** Runs `ip` commands in a network namespace, in one process. Throws AmbitError `command-failed` at the first that fails. */
export async function ipBatch(netns: string, commands: readonly string[]): Promise<void> {
  await run("ip", ["-n", netns, "-batch", "-"], { input: `${commands.join("\n")}\n` });
}

/** The command line that runs a command in a network namespace. `ip netns exec` would mount another /sys. */
export function inNetns(netns: string, command: readonly string[]): readonly [string, ...string[]] {
  return ["nsenter", `--net=${netnsPath(netns)}`, "--", ...command];
}

export async function setSysctls(netns: string, settings: Readonly<Record<string, string>>): Promise<void> {
  const lines = Object.entries(settings).map(
    ([name, value]) => `echo ${value} > /proc/sys/${name.replaceAll(".", "/")}`,
  );
  const [file, ...args] = inNetns(netns, ["sh", "-ec", lines.join("\n")]);
  await run(file, args);
}
