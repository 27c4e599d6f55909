import { closeSync, mkdirSync, readdirSync, rmSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { getPinned, pin } from "./loader/bpf-commands.ts";
import { ensurePinnedLink, swapPinnedLink } from "./loader/pinned-links.ts";
import { BpfMap, raw, u32, u64 } from "./loader/bpf-map.ts";
import { createMaps, type LoadedProgram, loadPrograms, mapOf, type ObjectFile } from "./loader/object.ts";

/** The program that is attached to the network namespace of each captured pod. */
export const INBOUND_PROGRAM = "pod_inbound";

const SK_LOOKUP = 36;

/** The folders of a pin directory. */
export interface Pins {
  readonly maps: string;
  readonly links: string;
  readonly programs: string;
  /** One link for each pod whose inbound connections are captured. */
  readonly pods: string;
}

export function pinsOf(pinDir: string): Pins {
  const folder = (name: string): string => join(pinDir, name);
  return { maps: folder("maps"), links: folder("links"), programs: folder("programs"), pods: folder("pods") };
}

/** The node's maps and programs in the kernel. `close` closes the descriptors; the programs go on. */
export interface NodePrograms {
  readonly maps: ReadonlyMap<string, number>;
  readonly inbound: LoadedProgram;
  /** `adopted`: the pinned programs go on; `swapped`: they were replaced in place; `loaded`: there were none. */
  readonly how: "adopted" | "swapped" | "loaded";
  close(): void;
}

/**
 * Loads the object's maps and programs, and uses what is pinned: pinned maps stay, with their content; programs of another
 * version are replaced in place; missing maps and links are made. A map whose layout changes therefore needs a new name, and
 * the agent takes over what the old one has (maps/old-enrolments.ts): a pinned map in another layout is an error.
 *
 * `cgroups` names the cgroup of each program that is attached to one; the other programs of that kind are not attached. The
 * function can be interrupted anywhere and called again. Throws AmbitError `bpf-map-incompatible`.
 */
export function openPrograms(object: ObjectFile, pinDir: string, cgroups: ReadonlyMap<string, string>): NodePrograms {
  const pins = pinsOf(pinDir);
  for (const folder of Object.values(pins)) mkdirSync(folder, { recursive: true });
  const maps = pinnedMaps(object, pins);
  const hash = new BpfMap(mapOf(maps, "object_hash"), u32, raw(32));
  const pinnedHash = hash.get(0) ?? Buffer.alloc(32);
  const isSame = pinnedHash.equals(object.hash);

  let programs: ReadonlyMap<string, LoadedProgram> | undefined;
  const program = (name: string): LoadedProgram => {
    programs ??= loadPrograms(object, maps);
    const found = programs.get(name);
    if (found === undefined) throw new Error(`the object has no program ${name}`);
    return found;
  };
  try {
    for (const name of readdirSync(pins.links)) if (!cgroups.has(name)) unlinkSync(join(pins.links, name));
    for (const [name, cgroup] of cgroups) {
      ensurePinnedLink(join(pins.links, name), () => program(name), { cgroup }, !isSame);
    }
    const inboundPin = join(pins.programs, INBOUND_PROGRAM);
    const pinnedInbound = isSame ? getPinned(inboundPin) : undefined;
    const inbound = pinnedInbound ?? getRepinned(inboundPin, program(INBOUND_PROGRAM).fd);
    if (!isSame) swapPods(pins, { fd: inbound, attachType: SK_LOOKUP });
    hash.set(0, object.hash);
    const how = isSame ? "adopted" : pinnedHash.every((byte) => byte === 0) ? "loaded" : "swapped";
    return {
      maps,
      inbound: { fd: inbound, attachType: SK_LOOKUP },
      how,
      close: () => closeAll([...maps.values(), inbound]),
    };
  } catch (error) {
    closeAll(maps.values());
    throw error;
  } finally {
    closeAll([...(programs?.values() ?? [])].map(({ fd }) => fd));
  }
}

/** Writes the one element of the map `settings`. */
export function writeSettings(maps: ReadonlyMap<string, number>, proxyCgroupId: bigint): void {
  new BpfMap(mapOf(maps, "settings"), u32, u64).set(0, proxyCgroupId);
}

function closeAll(fds: Iterable<number>): void {
  for (const fd of fds) closeSync(fd);
}

function pinnedMaps(object: ObjectFile, pins: Pins): ReadonlyMap<string, number> {
  const existing = new Map<string, number>();
  for (const { name } of object.maps) {
    const fd = getPinned(join(pins.maps, name));
    if (fd !== undefined) existing.set(name, fd);
  }
  let maps: Map<string, number>;
  try {
    maps = createMaps(object, existing);
  } catch (error) {
    closeAll(existing.values());
    throw error;
  }
  for (const [name, fd] of maps) if (!existing.has(name)) pin(fd, join(pins.maps, name));
  return maps;
}

/** Pins the program at `path` in the place of an earlier one. Returns a new descriptor of it. */
function getRepinned(path: string, program: number): number {
  rmSync(path, { force: true });
  pin(program, path);
  const fd = getPinned(path);
  if (fd === undefined) throw new Error(`${path} is gone`);
  return fd;
}

function swapPods(pins: Pins, program: LoadedProgram): void {
  for (const name of readdirSync(pins.pods)) swapPinnedLink(join(pins.pods, name), program);
}
