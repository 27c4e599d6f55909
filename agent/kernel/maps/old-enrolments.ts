import { closeSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { PodPhase } from "../../model/pod-state.ts";
import { getPinned } from "../loader/commands.ts";
import { BpfMap, type Codec } from "../loader/maps.ts";
import type { Pins } from "../programs.ts";
import { raw } from "./codecs.ts";
import type { SandboxRecords } from "./sandbox-records.ts";

/**
 * The map `enrolments` of agents of version 0.1.0 and before, which knew pods by their UID; a pod's link was pinned under that UID, too.
 * Both are taken over, so that captured pods stay captured through an upgrade. An earlier version does not know what replaced
 * them: before a downgrade the node's pods have to leave the mesh.
 */
interface OldEnrolment {
  readonly netns: string;
  readonly cookie: bigint;
  readonly undo: number;
  readonly phase: PodPhase;
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

function phaseOf(bits: number): PodPhase {
  if ((bits & WAITS) !== 0) return "guarded";
  return (bits & CAPTURED) !== 0 ? "captured" : "left";
}

/** Can be interrupted anywhere and done again. */
export function takeOverOldEnrolments(pins: Pins, records: SandboxRecords): void {
  const path = join(pins.maps, "enrolments");
  const fd = getPinned(path);
  if (fd === undefined) return;
  try {
    for (const [key, { netns, cookie, undo, phase }] of new BpfMap(fd, raw(64), oldEnrolment).entries()) {
      // A UID of unusual form was replaced by its hash: such a pod leaves the mesh and joins again.
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
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
}
