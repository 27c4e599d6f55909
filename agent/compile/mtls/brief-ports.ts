import type { PodPorts } from "../view/pod-ports.ts";
import { modeOf, type PeerModes } from "./peer-mode.ts";

/**
 * TCP ports of a pod where the mesh's TLS is looked for, though the server may speak first: so who comes from outside the mesh
 * is taken by a listener of the pod's own that does not look for long. Those that are STRICT are among them, so that a pod has
 * the same listeners in either mode.
 */
export function hasBriefListener({ tcp }: PodPorts, modes: PeerModes): boolean {
  return tcp.some((port) => modeOf(modes, port) !== "DISABLE");
}

/** Those of the ports where plaintext is taken. */
export function briefPorts({ tcp }: PodPorts, modes: PeerModes): readonly number[] {
  return tcp.filter((port) => modeOf(modes, port) === "PERMISSIVE");
}
