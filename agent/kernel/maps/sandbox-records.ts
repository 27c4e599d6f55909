import type { MeshPhase } from "../../model/pod-state.ts";
import { BpfMap, type Codec, u64 } from "../loader/bpf-map.ts";

/** The record of one sandbox, which an agent keeps for the agent after it. */
export interface SandboxRecord {
  /** UID of the pod. */
  readonly uid: string;
  /** Path of the network namespace. */
  readonly netns: string;
  /** Bits of delivery-setup.ts: what has to be undone in the network namespace. */
  readonly undo: number;
  readonly phase: MeshPhase;
}

/** The phases as numbers in the kernel. They outlive an upgrade: a number never changes its meaning. */
export const PHASE_NUMBERS: Readonly<Record<MeshPhase, number>> = {
  outside: 0,
  waiting: 1,
  guarded: 2,
  joining: 3,
  captured: 4,
  leaving: 5,
  left: 6,
};

const UID_SIZE = 256;
const NETNS_SIZE = 512;

/** struct sandbox */
const sandboxRecord: Codec<SandboxRecord> = {
  size: UID_SIZE + NETNS_SIZE + 8,
  encode: ({ uid, netns, undo, phase }) => {
    const bytes = Buffer.alloc(UID_SIZE + NETNS_SIZE + 8);
    writeText(bytes, "UID", uid, 0, UID_SIZE);
    writeText(bytes, "path of the network namespace", netns, UID_SIZE, NETNS_SIZE);
    bytes.writeUInt32LE(undo, UID_SIZE + NETNS_SIZE);
    bytes.writeUInt32LE(PHASE_NUMBERS[phase], UID_SIZE + NETNS_SIZE + 4);
    return bytes;
  },
  decode: (bytes) => ({
    uid: readText(bytes, 0),
    netns: readText(bytes, UID_SIZE),
    undo: bytes.readUInt32LE(UID_SIZE + NETNS_SIZE),
    phase: phaseOf(bytes.readUInt32LE(UID_SIZE + NETNS_SIZE + 4)),
  }),
};

function writeText(bytes: Buffer, what: string, text: string, at: number, size: number): void {
  if (Buffer.byteLength(text) >= size) throw new Error(`the ${what} has more than ${size - 1} bytes`);
  bytes.write(text, at);
}

function readText(bytes: Buffer, at: number): string {
  return bytes.toString("utf8", at, bytes.indexOf(0, at));
}

/** A phase that only a later version knows reads as `left`: the pod's listeners stay for the connections that are open. */
function phaseOf(number: number): MeshPhase {
  const [name = "left"] = Object.entries(PHASE_NUMBERS).find(([, value]) => value === number) ?? [];
  // Object.entries forgets the keys' type.
  return name as MeshPhase;
}

/** The map `sandboxes`, by the cookie of the network namespace. Only the agent uses it, so that it reads the map once. */
export class SandboxRecords {
  readonly #map: BpfMap<bigint, SandboxRecord>;
  readonly #current: Map<bigint, SandboxRecord>;

  constructor(fd: number) {
    this.#map = new BpfMap(fd, u64, sandboxRecord);
    this.#current = new Map(this.#map.entries());
  }

  get(cookie: bigint): SandboxRecord | undefined {
    return this.#current.get(cookie);
  }

  entries(): readonly (readonly [bigint, SandboxRecord])[] {
    return [...this.#current];
  }

  set(cookie: bigint, record: SandboxRecord): void {
    const { uid, netns, undo, phase } = record;
    const old = this.#current.get(cookie);
    if (old?.uid === uid && old.netns === netns && old.undo === undo && old.phase === phase) return;
    this.#map.set(cookie, record);
    this.#current.set(cookie, record);
  }

  delete(cookie: bigint): void {
    this.#map.delete(cookie);
    this.#current.delete(cookie);
  }
}
