import type { Mesh } from "../../model/mesh.ts";
import { remotePod } from "../../model/exchange.ts";
import type { Workload } from "../../model/workload.ts";
import type { LocalPod } from "../view/node-view.ts";
import type { CompileOptions } from "../view/options.ts";
import { modeOf, peerModes, withoutStrict, type PeerModes } from "./peer-mode.ts";

/** Which connections are mTLS, as seen from one node. */
export interface NodeMtls {
  /**
   * What PeerAuthentications say of a pod of this node; PERMISSIVE in place of STRICT while its state does not apply
   * STRICT.
   */
  modesOf(pod: LocalPod): PeerModes;
  /**
   * Callers of this node speak mTLS to that port of a workload. They speak plaintext to pods of their own node, to pods
   * whose node does not report that they take mTLS, and to ports where a PeerAuthentication says DISABLE.
   */
  speaksMtls(workload: Workload | undefined, port: number): boolean;
}

type MtlsOptions = Pick<CompileOptions, "node" | "identities" | "remoteCaptured" | "rootNamespace">;

export function nodeMtls(mesh: Mesh, { node, identities, remoteCaptured, rootNamespace }: MtlsOptions): NodeMtls {
  const modes = peerModes(mesh.peerAuthentications, rootNamespace);
  return {
    modesOf: ({ workload, effects }) => (effects.strict ? modes(workload) : withoutStrict(modes(workload))),
    speaksMtls: (workload, port) =>
      identities !== undefined &&
      workload !== undefined &&
      workload.node !== node &&
      remoteCaptured.has(remotePod(workload)) &&
      modeOf(modes(workload), port) !== "DISABLE",
  };
}
