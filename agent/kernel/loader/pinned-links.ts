import { closeSync, openSync, statSync, unlinkSync } from "node:fs";
import { createLink, getPinned, objectInfo, pin, updateLink } from "./bpf-commands.ts";
import type { LoadedProgram } from "./object.ts";

/** Where a program is attached: a cgroup's directory, or the file of a network namespace. */
export type LinkTarget = { readonly cgroup: string } | { readonly netns: string };

/** Attaches a program; the link lives as long as its descriptor is open. */
export function attachProgram(program: LoadedProgram, target: LinkTarget): number {
  const fd = openSync("cgroup" in target ? target.cgroup : target.netns, "r");
  try {
    return createLink(program.fd, fd, program.attachType);
  } finally {
    closeSync(fd);
  }
}

/**
 * The inode number of the link's target: struct bpf_link_info holds the id of a cgroup in 8 bytes, the inode of a network
 * namespace in 4. Both are the inode number of the file that was opened to attach, and 0 once the target is gone.
 */
function targetInode(link: number, target: LinkTarget): bigint {
  const info = objectInfo(link, 32);
  return "cgroup" in target ? info.readBigUInt64LE(16) : BigInt(info.readUInt32LE(16));
}

/**
 * Makes sure that a link pinned at `path` runs a program on `target`. A link that is there stays, with its program replaced by
 * `program` if `swap` is true. A link that is missing, or whose target is another or gone, is made anew. Returns true if it
 * was made.
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
  const link = attachProgram(program(), target);
  try {
    pin(link, path);
  } finally {
    closeSync(link);
  }
  return true;
}

/** Replaces the program of a pinned link. A link whose target is gone stays as it is. */
export function swapPinnedLink(path: string, program: LoadedProgram): void {
  const pinned = getPinned(path);
  if (pinned === undefined) return;
  try {
    updateLink(pinned, program.fd);
  } catch {
    // ENOLINK: the network namespace is gone. The pin goes when the agent forgets the pod.
  } finally {
    closeSync(pinned);
  }
}
