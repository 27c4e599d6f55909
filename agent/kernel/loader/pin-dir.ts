import { mkdirSync, readdirSync, readFileSync, realpathSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { AmbitError, messageOf } from "../../lib/errors.ts";
import { mount, unmount } from "./syscall.ts";

/** Makes the folder and mounts a BPF file system on it, unless it lies in one. Pins in it outlive the agent. */
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

/**
 * Removes the pins in these folders of `path`, unmounts the BPF file system if it is mounted there, and removes the folder. The
 * kernel frees each object that nothing else holds. The pins go one by one, as another mount namespace may have a copy of the
 * mount.
 */
export function removePinDir(path: string, folders: readonly string[]): void {
  if (!exists(path)) return;
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  if (mountPoints().get(realpathSync(path)) === "bpf") unmount(path);
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
