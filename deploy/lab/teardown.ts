import { readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { AmbitError } from "../../agent/lib/errors.ts";
import { isAlive, type ProcessIdentity } from "../../agent/lib/process-identity.ts";
import { readSupervisor, removeEmptyStateDirs } from "./claim.ts";
import { requestDown } from "./control/client.ts";
import { labCgroup, removeCgroup, removeIfEmpty } from "./machine/cgroup.ts";
import { labPaths, type LabPaths } from "./machine/lab-paths.ts";
import { releaseMountPoints } from "./machine/mount-points.ts";
import { tryRun } from "./machine/run-command.ts";
import { recordedNetns, removeNetns } from "./network/netns.ts";

/** How long the supervisor may take to end the lab by itself. */
const SUPERVISOR_MS = 20_000;
const EXIT_MS = 3_000;

/**
 * Takes a lab down and removes all of it, also where its supervisor hangs or was killed.
 * Throws AmbitError `lab-not-found` where no lab has this name.
 */
export async function takeDown(name: string): Promise<void> {
  const paths = labPaths(name);
  const supervisor = readSupervisor(paths);
  if (supervisor === undefined) {
    throw new AmbitError({
      code: "lab-not-found",
      kind: "user",
      what: `there is no lab named '${name}'`,
      why: `nothing is at ${paths.root}`,
      remedy: "see 'ambit lab list'; a lab that was started with another AMBIT_STATE_DIR is taken down with the same",
    });
  }
  let patience: NodeJS.Timeout | undefined;
  const waited = new Promise<void>((resolve) => (patience = setTimeout(resolve, SUPERVISOR_MS)));
  // A supervisor that does not answer is gone, or hangs. In both cases this process does the rest.
  await Promise.race([requestDown(paths).catch(() => undefined), waited]);
  clearTimeout(patience);
  if (!(await hasExited(supervisor))) {
    process.kill(supervisor.pid, "SIGKILL");
    await hasExited(supervisor);
  }
  await removeLab(paths);
}

/** Waits for the end of a process, at most `EXIT_MS`. */
async function hasExited(target: ProcessIdentity): Promise<boolean> {
  const deadline = Date.now() + EXIT_MS;
  while (isAlive(target)) {
    if (Date.now() >= deadline) return false;
    await sleep(20);
  }
  return true;
}

/**
 * Removes everything that a lab has in the kernel and on disk, as recorded in its state folder. Nothing of the lab need be
 * alive for that, and a second call does no harm. The caller is the lab's supervisor, or the supervisor is gone.
 */
export async function removeLab(paths: LabPaths): Promise<void> {
  await removeCgroup(labCgroup(paths.name));
  for (const mountPoint of mountsBelow(paths.root)) await tryRun("umount", ["-l", mountPoint]);
  await Promise.all(recordedNetns(paths).map((name) => removeNetns(paths, name)));
  rmSync(paths.root, { recursive: true, force: true, maxRetries: 3 });
  releaseMountPoints(paths.name);
  removeIfEmpty(dirname(labCgroup(paths.name)));
  removeEmptyStateDirs();
}

/** Mount points below a folder, the innermost first. */
function mountsBelow(folder: string): readonly string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => unescape(line.split(" ")[4] ?? ""))
    .filter((path) => path.startsWith(`${folder}/`))
    .reverse();
}

/** mountinfo writes blanks and backslashes as three octal digits. */
function unescape(path: string): string {
  return path.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
