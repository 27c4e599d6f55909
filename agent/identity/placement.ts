import type { Placement } from "./authority.ts";
import type { Mesh } from "../model/mesh.ts";
import { spiffeIdOf } from "../model/spiffe-id.ts";
import type { Source } from "../model/source.ts";

/** Which identities run where, as the source has it now. */
export function placementOf(source: Source, trustDomain: string): Placement {
  let seen: Mesh | undefined;
  let nodes: ReadonlyMap<string, readonly string[]> = new Map();
  return {
    nodesOf: (id) => {
      const mesh = source.current();
      if (mesh !== seen) nodes = nodesByIdentity(mesh, trustDomain);
      seen = mesh;
      return nodes.get(id) ?? [];
    },
  };
}

function nodesByIdentity({ workloads }: Mesh, trustDomain: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, Set<string>>();
  for (const workload of workloads) {
    const { node, terminated } = workload;
    if (terminated || node === "") continue;
    const id = spiffeIdOf(trustDomain, workload);
    found.set(id, (found.get(id) ?? new Set()).add(node));
  }
  return new Map([...found].map(([id, nodes]) => [id, [...nodes].toSorted()]));
}
