import { createHash } from "node:crypto";
import { closeSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { AmbitError, messageOf } from "../../lib/errors.ts";
import { packageRoot } from "../../lib/package.ts";
import { Btf, type MapDeclaration } from "./btf.ts";
import { createMap, loadBtf, loadProgram, objectInfo, type ProgramCode } from "./bpf-commands.ts";
import { type ElfFile, type ElfSection, type ElfSymbol, readElf } from "./elf.ts";

/** Program type and attach type by section name (enum bpf_prog_type, enum bpf_attach_type). */
const PROGRAM_TYPES: Readonly<Record<string, readonly [number, number]>> = {
  "cgroup/bind4": [18, 8],
  "cgroup/bind6": [18, 9],
  "cgroup/connect4": [18, 10],
  "cgroup/connect6": [18, 11],
  "cgroup/sendmsg4": [18, 14],
  "cgroup/sendmsg6": [18, 15],
  "cgroup/recvmsg4": [18, 19],
  "cgroup/recvmsg6": [18, 20],
  "cgroup/getpeername4": [18, 29],
  "cgroup/getpeername6": [18, 30],
  "cgroup/getsockname4": [18, 31],
  "cgroup/getsockname6": [18, 32],
  "cgroup/getsockopt": [25, 21],
  sockops: [13, 3],
  sk_lookup: [30, 36],
};

const R_BPF_64_64 = 1;
const PSEUDO_MAP_FD = 1;

/** A compiled object that is read, and not yet in the kernel. */
export interface ObjectFile {
  /** SHA-256 of the file. */
  readonly hash: Buffer;
  readonly maps: readonly MapDeclaration[];
  readonly elf: ElfFile;
  readonly btf: Btf;
}

/** A program in the kernel; the owner closes the file descriptor. */
export interface LoadedProgram {
  readonly fd: number;
  readonly attachType: number;
}

/** Reads an object that is checked in beside the sources; `path` starts at the package's root. */
export function readObject(relativePath: string): ObjectFile {
  const path = join(packageRoot(), relativePath);
  try {
    return parseObject(readFileSync(path));
  } catch (error) {
    throw new AmbitError({
      code: "bpf-object-unreadable",
      kind: "system",
      what: `the eBPF object '${path}' cannot be read`,
      why: messageOf(error),
      remedy: "install Ambit again, or run 'node agent/kernel/build.mjs' in a checkout",
    });
  }
}

export function parseObject(file: Buffer): ObjectFile {
  const elf = readElf(file);
  const section = (name: string): ElfSection | undefined => elf.sections.find((candidate) => candidate.name === name);
  const types = section(".BTF");
  if (types === undefined) throw new Error("it has no section .BTF");
  const btf = new Btf(Buffer.from(types.data));
  btf.placeVariables(
    (name) => section(name)?.data.length ?? 0,
    (variable) => elf.symbols.find((symbol) => symbol.name === variable)?.value ?? 0,
  );
  return { hash: createHash("sha256").update(file).digest(), maps: btf.maps(), elf, btf };
}

/**
 * Makes the maps that `existing` does not have, and gives back all of them by name. The caller owns the descriptors;
 * if this throws, `existing` stays open.
 */
export function createMaps(object: ObjectFile, existing: ReadonlyMap<string, number>): Map<string, number> {
  const btf = loadBtf(object.btf.bytes);
  const maps = new Map<string, number>();
  try {
    for (const declaration of object.maps) {
      const found = existing.get(declaration.name);
      if (found !== undefined) assertCompatible(declaration, found);
      maps.set(declaration.name, found ?? makeMap(declaration, btf));
    }
  } catch (error) {
    for (const [name, fd] of maps) if (!existing.has(name)) closeSync(fd);
    throw error;
  } finally {
    closeSync(btf);
  }
  return maps;
}

export function mapOf(maps: ReadonlyMap<string, number>, name: string): number {
  const fd = maps.get(name);
  if (fd === undefined) throw new Error(`the object has no map ${name}`);
  return fd;
}

function makeMap(map: MapDeclaration, btf: number): number {
  const shape = { ...map, keySize: map.key.size, valueSize: map.value.size };
  // A sockhash takes no types: its values are sockets, not what the declaration says.
  const BPF_MAP_TYPE_SOCKHASH = 18;
  const types = map.type === BPF_MAP_TYPE_SOCKHASH ? undefined : { btf, key: map.key.type, value: map.value.type };
  return createMap(map.name, shape, types);
}

/** struct bpf_map_info: type, id, key_size, value_size, max_entries, map_flags. */
function assertCompatible(map: MapDeclaration, fd: number): void {
  const info = objectInfo(fd, 24);
  const is = [0, 8, 12, 16, 20].map((offset) => info.readUInt32LE(offset)).join();
  if (is === [map.type, map.key.size, map.value.size, map.maxEntries, map.flags].join()) return;
  throw new AmbitError({
    code: "bpf-map-incompatible",
    kind: "system",
    what: `the kernel holds map '${map.name}' of another version of Ambit, with another layout`,
    remedy: "un-enrol this node's pods and remove the old pins, then start the agent again",
  });
}

/** Loads all programs of the object with these maps; none, if one of them fails. */
export function loadPrograms(object: ObjectFile, maps: ReadonlyMap<string, number>): Map<string, LoadedProgram> {
  const programs = new Map<string, LoadedProgram>();
  try {
    for (const section of object.elf.sections.filter((candidate) => candidate.executable)) {
      const code = relocated(object.elf, section, maps);
      for (const symbol of object.elf.symbols) {
        if (symbol.section !== section.index || !symbol.isFunction) continue;
        const program = programCode(section, symbol, code);
        programs.set(symbol.name, { fd: loadProgram(program), attachType: program.attachType });
      }
    }
  } catch (error) {
    for (const program of programs.values()) closeSync(program.fd);
    throw error;
  }
  return programs;
}

function programCode(section: ElfSection, symbol: ElfSymbol, code: Buffer): ProgramCode {
  const types = PROGRAM_TYPES[section.name];
  if (types === undefined) throw new Error(`section ${section.name} is of no known program type`);
  const instructions = code.subarray(symbol.value, symbol.value + symbol.size);
  return { name: symbol.name, type: types[0], attachType: types[1], instructions };
}

/** The section's code with each map's file descriptor in the instructions that load it. */
function relocated(elf: ElfFile, section: ElfSection, maps: ReadonlyMap<string, number>): Buffer {
  const code = Buffer.from(section.data);
  for (const { offset, type, symbol } of elf.relocations(section.index)) {
    const map = maps.get(symbol.name);
    if (type !== R_BPF_64_64 || map === undefined) throw new Error(`cannot relocate ${symbol.name} in ${section.name}`);
    code.writeUInt8((code.readUInt8(offset + 1) & 15) | (PSEUDO_MAP_FD << 4), offset + 1);
    code.writeInt32LE(map, offset + 4);
  }
  return code;
}
