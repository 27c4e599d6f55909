import { remotePod } from "../model/exchange.ts";
import type { Mesh } from "../model/mesh.ts";
import type { LocalPodState, PodState } from "../model/pod-state.ts";
import type { SandboxLookup } from "../model/sandbox.ts";
import { spiffeIdOf } from "../model/spiffe-id.ts";
import type { CompileOptions } from "./view/options.ts";

/** The pod has been captured from the beginning, and all other nodes follow. */
const CAPTURED: PodState = { phase: "captured", strict: true, since: -Infinity, announced: 0, followedAt: 0 };

/**
 * The part of the options that a running mesh would supply, for commands and tests that only look at a configuration.
 * It assumes that the authority has issued a certificate to every enrolled pod, and that every node has captured its
 * pods. A text that says so stands in place of keys and certificates.
 */
export function assumedIdentities(
  mesh: Mesh,
  {
    node,
    trustDomain,
    sandboxes,
  }: Pick<CompileOptions, "node" | "trustDomain"> & { readonly sandboxes: SandboxLookup },
): Pick<CompileOptions, "identities" | "pods" | "remoteCaptured"> {
  const enrolled = mesh.workloads.filter((workload) => workload.enrolled);
  const issued = { chainPem: "(issued by the authority)", keyPem: "(kept in memory)" };
  return {
    identities: {
      certificates: new Map(enrolled.map((workload) => [spiffeIdOf(trustDomain, workload), issued])),
      rootsPem: "(roots of the authority)",
    },
    pods: new Map(
      enrolled.flatMap((workload): readonly (readonly [string, LocalPodState])[] => {
        const { uid, addresses } = workload;
        const netns = workload.node === node ? sandboxes.netnsOf(uid) : undefined;
        return netns === undefined ? [] : [[uid, { netns, addresses, state: CAPTURED }]];
      }),
    ),
    remoteCaptured: new Map(
      // No node announces a pod that is not scheduled yet.
      enrolled.flatMap(({ uid, addresses, node: other }) =>
        other === node || other === "" ? [] : [[remotePod({ node: other, uid }), addresses] as const],
      ),
    ),
  };
}
