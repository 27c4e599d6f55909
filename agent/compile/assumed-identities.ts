import type { Mesh } from "../model/mesh.ts";
import { spiffeIdOf } from "../model/spiffe-id.ts";
import type { CompileOptions } from "./options.ts";

/**
 * For who looks at a configuration without running it: as if the authority had given every enrolled pod its certificate, and
 * every node had reported its pods captured. In place of keys and certificates stands a text that says so.
 */
export function assumedIdentities(mesh: Mesh, trustDomain: string): Pick<CompileOptions, "identities" | "captured"> {
  const enrolled = mesh.workloads.filter((workload) => workload.enrolled);
  const issued = { chainPem: "(issued by the authority)", keyPem: "(kept in memory)" };
  return {
    identities: {
      certificates: new Map(enrolled.map((workload) => [spiffeIdOf(trustDomain, workload), issued])),
      rootsPem: "(roots of the authority)",
    },
    captured: new Set(enrolled.map(({ uid }) => uid)),
  };
}
