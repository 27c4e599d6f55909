import { closeSync, openSync, statSync, unlinkSync } from "node:fs";
import { createLink, getPinned, objectInfo, pin, updateLink } from "./commands.ts";
import type { LoadedProgram } from "./object.ts";

/** Where a program is attached: a cgroup's directory, or the file of a network namespace. */
export type LinkTarget = { readonly cgroup: string } | { readonly netns: string };

/** Attaches a program; the link lives as long as its descriptor is open. */
export function attach(program: LoadedProgram, target: LinkTarget): number {
  const fd = openSync("cgroup" in target ? target.cgroup : target.netns, "r");
  try {
    return createLink(program.fd, fd, program.attachType);
  } finally {
    closeSync(fd);
  }
}

/**
 * What the link is attached to: struct bpf_link_info holds a cgroup's id in 8 bytes, a network namespace's inode in 4. Both
 * are the inode number of what was opened, and 0 once it is gone.
 */
function targetInode(link: number, target: LinkTarget): bigint {
  const info = objectInfo(link, 32);
  return "cgroup" in target ? info.readBigUInt64LE(16) : BigInt(info.readUInt32LE(16));
}

/**
 * The link pinned at `path` is made to run `program` on `target`: adopted if it is there, its program replaced in place if
 * `swap`, made anew if there is none or it hangs on something that is gone. True if it was made.
 */
export function ensurePinnedLink(
  path: string,
  program: () => LoadedProgram,
  target: LinkTarget,
  swap: boolean,
): boolean {
  const inode = statSync("cgroup" in target ? target.cgroup : target.netns, { bigint: true }).ino;
  const pinned = getPinned(path);
  if (pinned !== undefined) {
    try {
      if (targetInode(pinned, target) === inode) {
        if (swap) updateLink(pinned, program().fd);
        return false;
      }
    } finally {
      closeSync(pinned);
    }
    unlinkSync(path);
  }
  const link = attach(program(), target);
  try {
    pin(link, path);
  } finally {
    closeSync(link);
  }
  return true;
}

/** Replaces the program of a pinned link wherever it is attached; a link whose target is gone is left as it is. */
export function swapPinnedLink(path: string, program: LoadedProgram): void {
  const pinned = getPinned(path);
  if (pinned === undefined) return;
  try {
    updateLink(pinned, program.fd);
  } catch {
    // ENOLINK: the network namespace is gone, the pin goes with the pod.
  } finally {
    closeSync(pinned);
  }
}
