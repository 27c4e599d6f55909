import { decidedMode } from "../compile/mtls/peer-mode.ts";
import type { Mesh } from "../model/mesh.ts";
import { namespacedName } from "../model/meta.ts";
import type { Workload } from "../model/workload.ts";

/** The effect of PeerAuthentications on a call, before any policy is evaluated. */
export interface PeerAnswer {
  /** The object because of which the connection is closed; undefined: it is not closed. */
  readonly refusedBy: string | undefined;
  /** The call carries no identity. */
  readonly isAnonymous: boolean;
  /** A note for the reader; "" for none. */
  readonly note: string;
}

/** `source` undefined or not enrolled: a caller that speaks plaintext. */
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
      note: `${says}: from another node the call would carry no identity`,
    };
  }
  const note = `${says}: from ${source.node} to ${destination.node} the call carries no identity`;
  return { refusedBy: undefined, isAnonymous: !isNear, note: isNear ? "" : note };
}
