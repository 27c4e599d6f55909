import { closeSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../../lib/errors.ts";
import type { MeshPhase } from "../../model/pod-state.ts";
import { getPinned } from "../loader/bpf-commands.ts";
import { BpfMap, type Codec, raw } from "../loader/bpf-map.ts";
import type { SandboxRecords } from "./sandbox-records.ts";

/**
 * The map `enrolments` of agents up to version 0.1.0: its key, and the name of a pod's pinned link, was the pod's UID. The agent
 * takes both over, so that captured pods stay captured through an upgrade. Such an agent does not know the map `sandboxes`: all
 * pods of the node have to leave the mesh before a downgrade.
 */
interface OldEnrolment {
  readonly netns: string;
  readonly cookie: bigint;
  readonly undo: number;
  readonly phase: MeshPhase;
}

const NETNS_SIZE = 512;
const CAPTURED = 1;
const WAITS = 2;

const oldEnrolment: Codec<OldEnrolment> = {
  size: NETNS_SIZE + 16,
  encode: () => {
    throw new Error("old enrolments are only read");
  },
  decode: (bytes) => ({
    netns: bytes.toString("utf8", 0, bytes.indexOf(0)),
    cookie: bytes.readBigUInt64LE(NETNS_SIZE),
    undo: bytes.readUInt32LE(NETNS_SIZE + 8),
    phase: phaseOf(bytes.readUInt32LE(NETNS_SIZE + 12)),
  }),
};

function phaseOf(bits: number): MeshPhase {
  if ((bits & WAITS) !== 0) return "guarded";
  return (bits & CAPTURED) !== 0 ? "captured" : "left";
}

/** `pins`: folders of the pins. The function can be interrupted anywhere and called again. */
export function takeOverOldEnrolments(
  pins: { readonly maps: string; readonly pods: string },
  records: SandboxRecords,
): void {
  const path = join(pins.maps, "enrolments");
  const fd = getPinned(path);
  if (fd === undefined) return;
  try {
    for (const [key, { netns, cookie, undo, phase }] of new BpfMap(fd, raw(64), oldEnrolment).entries()) {
      // In the place of a UID of unusual form there is its hash: such a pod leaves the mesh and joins again.
      const uid = key.toString("latin1", 0, key.indexOf(0));
      records.set(cookie, { uid, netns, undo, phase });
      takeOverLink(join(pins.pods, uid), join(pins.pods, String(cookie)));
    }
  } finally {
    closeSync(fd);
  }
  rmSync(path);
}

function takeOverLink(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    // A pod that has left has no link.
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}
