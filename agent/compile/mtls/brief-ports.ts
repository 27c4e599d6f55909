import type { PodPorts } from "../view/pod-ports.ts";
import { modeOf, type PeerModes } from "./peer-mode.ts";

/**
 * TCP ports of a pod where the listener looks for the mesh's TLS although the server may speak first. Callers from
 * outside the mesh are taken there by a second listener of the pod, which looks only briefly. STRICT ports are
 * included, so that a pod has the same listeners in either mode.
 */
export function hasBriefListener({ tcp }: PodPorts, modes: PeerModes): boolean {
  return tcp.some((port) => modeOf(modes, port) !== "DISABLE");
}

/** Those of these ports that take plaintext. */
export function briefPorts({ tcp }: PodPorts, modes: PeerModes): readonly number[] {
  return tcp.filter((port) => modeOf(modes, port) === "PERMISSIVE");
}
