import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { realpathSync } from "node:fs";
import { join } from "node:path";
import { AmbitError, messageOf } from "../lib/errors.ts";
import { mount, unmount } from "./syscall.ts";

/** A bpffs of our own: what is pinned in it outlives the agent. The folder is made, and mounted on, if need be. */
export function mountPinDir(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
    if (isBpffs(path)) return;
    mount("bpf", path, "mode=0700");
  } catch (error) {
    throw new AmbitError({
      code: "bpffs-unavailable",
      kind: "system",
      what: `no BPF file system can be mounted at '${path}'`,
      why: messageOf(error),
      remedy: "the agent needs CAP_SYS_ADMIN and a kernel with CONFIG_BPF_SYSCALL",
      cause: error,
    });
  }
}

/** Forgets every pin (the kernel lets go of what nobody else holds), unmounts and removes the folder. */
export function removePinDir(path: string): void {
  if (!exists(path)) return;
  if (isBpffs(path)) {
    for (const name of readdirSync(path)) rmSync(join(path, name), { recursive: true });
    // Somebody may have mounted it elsewhere; it may also be the node's own /sys/fs/bpf in a folder of which we live.
    if (mountPoints().has(realpathSync(path))) unmount(path);
    else return;
  }
  rmdirSync(path);
}

function exists(path: string): boolean {
  try {
    readdirSync(path);
    return true;
  } catch {
    return false;
  }
}

/** True if `path` lies in a bpffs: on a mount of type `bpf`, or below one. */
function isBpffs(path: string): boolean {
  const mounts = mountPoints();
  for (let at = realpathSync(path); ; at = join(at, "..")) {
    const type = mounts.get(at);
    if (type !== undefined) return type === "bpf";
    if (at === "/") return false;
  }
}

/** Mount points and the types of what is mounted on top there. */
function mountPoints(): ReadonlyMap<string, string> {
  const lines = readFileSync("/proc/self/mounts", "utf8").trim().split("\n");
  const unescape = (text: string): string =>
    text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  return new Map(lines.map((line) => line.split(" ")).map(([, at = "", type = ""]) => [unescape(at), type] as const));
}
