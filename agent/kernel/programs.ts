import { closeSync, mkdirSync, readdirSync, rmSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { raw, u32, u64 } from "./maps/codecs.ts";
import { getPinned, pin } from "./loader/commands.ts";
import { ensurePinnedLink, swapPinnedLink } from "./loader/links.ts";
import { BpfMap } from "./loader/maps.ts";
import { createMaps, type LoadedProgram, loadPrograms, type ObjectFile } from "./loader/object.ts";

/** The program that each enrolled pod's network namespace gets. */
export const INBOUND_PROGRAM = "pod_inbound";

const SK_LOOKUP = 36;

/** The folders of a pin directory. */
export interface Pins {
  readonly maps: string;
  readonly links: string;
  readonly programs: string;
  /** One link per enrolled pod. */
  readonly pods: string;
}

export function pinsOf(pinDir: string): Pins {
  const folder = (name: string): string => join(pinDir, name);
  return { maps: folder("maps"), links: folder("links"), programs: folder("programs"), pods: folder("pods") };
}

/** The node's maps and programs in the kernel; `close` lets go of the descriptors and leaves everything at work. */
export interface NodePrograms {
  readonly maps: ReadonlyMap<string, number>;
  readonly inbound: LoadedProgram;
  /** What happened to the programs that may have been pinned: taken as they were, replaced in place, or there were none. */
  readonly how: "adopted" | "swapped" | "loaded";
  close(): void;
}

/**
 * Brings the object's maps and programs in, over what is pinned: maps stay, programs of another version are replaced in
 * place, links that are missing are made. `cgroups` names the cgroup of each program that hangs on one; programs without
 * one are not attached. Can be interrupted anywhere and done again.
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

export function mapOf(maps: ReadonlyMap<string, number>, name: string): number {
  const fd = maps.get(name);
  if (fd === undefined) throw new Error(`the object has no map ${name}`);
  return fd;
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

/** Pins the program in the place of what was pinned there; a descriptor of its own. */
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
