import { decidedMode } from "../compile/mtls/peer-mode.ts";
import type { Mesh } from "../model/mesh.ts";
import { namespacedName } from "../model/meta.ts";
import type { Workload } from "../model/workload.ts";

/** What PeerAuthentication has to say about a call before any policy is asked. */
export interface PeerAnswer {
  /** The connection is closed: by which object, and why. */
  readonly refusedBy: string | undefined;
  /** The call bears no identity, though the caller is in the mesh. */
  readonly isAnonymous: boolean;
  /** What a reader has to know of it; "": nothing. */
  readonly note: string;
}

/** `source` undefined, or not enrolled: somebody who speaks plaintext. */
export function answerOfPeers(
  mesh: Mesh,
  rootNamespace: string,
  source: Workload | undefined,
  destination: Workload,
  port: number,
): PeerAnswer {
  const { mode, by } = decidedMode(mesh.peerAuthentications, rootNamespace, destination, port);
  const name = by === undefined ? "" : namespacedName(by.namespace, by.name);
  const isKnown = source?.enrolled === true;
  if (mode === "STRICT" && !isKnown) return { refusedBy: name, isAnonymous: true, note: "" };
  if (mode !== "DISABLE" || !isKnown) return { refusedBy: undefined, isAnonymous: !isKnown, note: "" };
  const says = `PeerAuthentication ${name} says DISABLE for port ${port}`;
  const isNear = source.node === destination.node;
  if (source.node === "" || destination.node === "") {
    return {
      refusedBy: undefined,
      isAnonymous: false,
      note: `${says}: from another node the call would bear no identity`,
    };
  }
  const note = `${says}: from ${source.node} to ${destination.node} the call bears no identity`;
  return { refusedBy: undefined, isAnonymous: !isNear, note: isNear ? "" : note };
}
