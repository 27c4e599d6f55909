import { addressOf, bpf, SystemCallError } from "./syscall.ts";

/** bpf(2)'s commands, one function each, over `union bpf_attr` of <linux/bpf.h>. Each returns or takes file descriptors. */
const COMMAND = {
  mapCreate: 0,
  mapLookup: 1,
  mapUpdate: 2,
  mapDelete: 3,
  mapNextKey: 4,
  programLoad: 5,
  objectPin: 6,
  objectGet: 7,
  objectInfo: 15,
  btfLoad: 18,
  mapLookupBatch: 24,
  mapUpdateBatch: 26,
  mapDeleteBatch: 27,
  linkCreate: 28,
  linkUpdate: 29,
} as const;

function attributes(size = 128): Buffer {
  return Buffer.alloc(size);
}

export interface MapShape {
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
}

export interface MapTypes {
  readonly btf: number;
  readonly key: number;
  readonly value: number;
}

export function createMap(name: string, shape: MapShape, types: MapTypes | undefined): number {
  const a = attributes();
  a.writeUInt32LE(shape.type, 0);
  a.writeUInt32LE(shape.keySize, 4);
  a.writeUInt32LE(shape.valueSize, 8);
  a.writeUInt32LE(shape.maxEntries, 12);
  a.writeUInt32LE(shape.flags, 16);
  a.write(name.slice(0, 15), 28, "latin1");
  if (types !== undefined) {
    a.writeUInt32LE(types.btf, 48);
    a.writeUInt32LE(types.key, 52);
    a.writeUInt32LE(types.value, 56);
  }
  return bpf(COMMAND.mapCreate, a, `make map ${name}`);
}

function element(map: number, key: Buffer | undefined, value: Buffer | undefined, flags = 0n): Buffer {
  const a = attributes(32);
  a.writeInt32LE(map, 0);
  a.writeBigUInt64LE(key === undefined ? 0n : addressOf(key), 8);
  a.writeBigUInt64LE(value === undefined ? 0n : addressOf(value), 16);
  a.writeBigUInt64LE(flags, 24);
  return a;
}

/** Writes the element's value into `value`. Returns false if the map does not have the key. */
export function lookupElement(map: number, key: Buffer, value: Buffer): boolean {
  return unlessMissing(() => bpf(COMMAND.mapLookup, element(map, key, value), "look up a map element"));
}

export function updateElement(map: number, key: Buffer, value: Buffer): void {
  bpf(COMMAND.mapUpdate, element(map, key, value), "update a map element");
}

/** Returns false if the map did not have the key. */
export function deleteElement(map: number, key: Buffer): boolean {
  return unlessMissing(() => bpf(COMMAND.mapDelete, element(map, key, undefined), "delete a map element"));
}

/** Writes the key after `key` into `next`, without `key` the first one. Returns false after the last one. */
export function nextKey(map: number, key: Buffer | undefined, next: Buffer): boolean {
  return unlessMissing(() => bpf(COMMAND.mapNextKey, element(map, key, next), "get a map's next key"));
}

function unlessMissing(call: () => unknown): boolean {
  try {
    call();
    return true;
  } catch (error) {
    if (error instanceof SystemCallError && error.code === "ENOENT") return false;
    throw error;
  }
}

function batch(map: number, keys: Buffer, values: Buffer | undefined, count: number): Buffer {
  const a = attributes(56);
  a.writeBigUInt64LE(addressOf(keys), 16);
  a.writeBigUInt64LE(values === undefined ? 0n : addressOf(values), 24);
  a.writeUInt32LE(count, 32);
  a.writeInt32LE(map, 36);
  return a;
}

export function updateBatch(map: number, keys: Buffer, values: Buffer, count: number): void {
  bpf(COMMAND.mapUpdateBatch, batch(map, keys, values, count), "update map elements");
}

export function deleteBatch(map: number, keys: Buffer, count: number): void {
  bpf(COMMAND.mapDeleteBatch, batch(map, keys, undefined, count), "delete map elements");
}

export interface ProgramCode {
  readonly name: string;
  readonly type: number;
  readonly attachType: number;
  readonly instructions: Buffer;
}

/** Loads a program. If the verifier refuses it, the error ends with the last lines of the verifier's log. */
export function loadProgram(program: ProgramCode): number {
  const license = Buffer.from("GPL\0");
  const a = attributes();
  a.writeUInt32LE(program.type, 0);
  a.writeUInt32LE(program.instructions.length / 8, 4);
  a.writeBigUInt64LE(addressOf(program.instructions), 8);
  a.writeBigUInt64LE(addressOf(license), 16);
  a.write(program.name.slice(0, 15), 48, "latin1");
  a.writeUInt32LE(program.attachType, 68);
  try {
    return bpf(COMMAND.programLoad, a, `load program ${program.name}`);
  } catch (error) {
    const log = Buffer.alloc(1 << 20);
    a.writeUInt32LE(1, 24);
    a.writeUInt32LE(log.length, 28);
    a.writeBigUInt64LE(addressOf(log), 32);
    try {
      return bpf(COMMAND.programLoad, a, `load program ${program.name}`);
    } catch {
      const written = log.toString("latin1", 0, log.indexOf(0)).trim().split("\n").slice(-12).join("\n");
      throw new Error(`the kernel's verifier refused program ${program.name}\n${written}`, { cause: error });
    }
  }
}

export function loadBtf(bytes: Buffer): number {
  const a = attributes();
  a.writeBigUInt64LE(addressOf(bytes), 0);
  a.writeUInt32LE(bytes.length, 16);
  return bpf(COMMAND.btfLoad, a, "load BTF");
}

export function pin(fd: number, path: string): void {
  const name = Buffer.from(`${path}\0`);
  const a = attributes(16);
  a.writeBigUInt64LE(addressOf(name), 0);
  a.writeInt32LE(fd, 8);
  bpf(COMMAND.objectPin, a, `pin ${path}`);
}

/** The pinned map, program or link; undefined if nothing is pinned there. */
export function getPinned(path: string): number | undefined {
  const name = Buffer.from(`${path}\0`);
  const a = attributes(16);
  a.writeBigUInt64LE(addressOf(name), 0);
  let fd = -1;
  const found = unlessMissing(() => {
    fd = bpf(COMMAND.objectGet, a, `get ${path}`);
  });
  return found ? fd : undefined;
}

/** `struct bpf_map_info`, `bpf_prog_info` or `bpf_link_info`, its first `size` bytes. */
export function objectInfo(fd: number, size: number): Buffer {
  const info = Buffer.alloc(size);
  const a = attributes(16);
  a.writeInt32LE(fd, 0);
  a.writeUInt32LE(info.length, 4);
  a.writeBigUInt64LE(addressOf(info), 8);
  bpf(COMMAND.objectInfo, a, "get information");
  return info;
}

/** Attaches a program to an open cgroup directory or network namespace. */
export function createLink(program: number, target: number, attachType: number): number {
  const a = attributes(64);
  a.writeInt32LE(program, 0);
  a.writeInt32LE(target, 4);
  a.writeUInt32LE(attachType, 8);
  return bpf(COMMAND.linkCreate, a, "attach a program");
}

/** Replaces the program of a link in one step: there is no moment without a program. */
export function updateLink(link: number, program: number): void {
  const a = attributes(64);
  a.writeInt32LE(link, 0);
  a.writeInt32LE(program, 4);
  bpf(COMMAND.linkUpdate, a, "replace a link's program");
}
