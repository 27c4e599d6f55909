import { readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { tryRun } from "./run-command.ts";
import { labCgroup, removeCgroup, removeIfEmpty } from "./cgroup.ts";
import { removeEmptyStateDirs } from "./claim.ts";
import type { LabPaths } from "./lab-paths.ts";
import { releaseMountPoints } from "./mount-points.ts";
import { recordedNetns, removeNetns } from "./netns.ts";

/**
 * Removes all that a lab has in the kernel and on disk, by what is recorded in its state folder: it needs nothing of the lab
 * to be alive, and may be done twice. Its supervisor must be gone, or do this itself.
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
