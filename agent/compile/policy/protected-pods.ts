import { groupBy } from "../../lib/group-by.ts";
import type { PolicyTarget } from "../../model/authorization-policy.ts";
import type { Mesh } from "../../model/mesh.ts";
import type { ObjectMeta } from "../../model/meta.ts";
import type { Workload } from "../../model/workload.ts";
import { peerModes, type PeerModes } from "../mtls/peer-mode.ts";
import { decides } from "./applicable.ts";
import { selection } from "./selection.ts";

/**
 * Tells whether a workload is protected: a policy that decides or rules for tokens select it, or it is STRICT at a port. Such a
 * pod may not answer callers past the proxy.
 */
export function protectedPods(mesh: Mesh, rootNamespace: string): (workload: Workload) => boolean {
  const selects = selection(mesh, rootNamespace);
  const modes = peerModes(mesh.peerAuthentications, rootNamespace);
  const tokens = mesh.requestAuthentications.filter(({ rules, alwaysDeny }) => rules.length > 0 || alwaysDeny);
  const selecting: readonly Selecting[] = [...mesh.authorizationPolicies.filter(decides), ...tokens];
  const byNamespace = groupBy(selecting, ({ meta }) => meta.namespace);
  const isSelected = (workload: Workload): boolean =>
    [...new Set([workload.meta.namespace, rootNamespace])].some((namespace) =>
      byNamespace.get(namespace)?.some((object) => selects(object, workload)),
    );
  return (workload) => isStrict(modes(workload)) || isSelected(workload);
}

interface Selecting {
  readonly meta: ObjectMeta;
  readonly targets: readonly PolicyTarget[];
}

function isStrict({ other, ports }: PeerModes): boolean {
  return other === "STRICT" || [...ports.values()].includes("STRICT");
}
