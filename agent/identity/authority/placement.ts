import type { Mesh } from "../../model/mesh.ts";
import { spiffeIdOf } from "../../model/spiffe-id.ts";
import type { Source } from "../../model/source.ts";

/** Where pods run, as the source of objects has it now. */
export interface Placement {
  /** Names of the nodes on which pods of this identity run. */
  nodesOf(spiffeId: string): readonly string[];
  /** Name of the node on which the pod with this UID runs; undefined: the source does not know it. */
  nodeOf(uid: string): string | undefined;
}

/** Which identities and which pods run where, as the source has it now. */
export function placementOf(source: Source, trustDomain: string): Placement {
  let seen: Mesh | undefined;
  let byIdentity: ReadonlyMap<string, readonly string[]> = new Map();
  let byUid: ReadonlyMap<string, string> = new Map();
  const refresh = (): void => {
    const mesh = source.current();
    if (mesh === seen) return;
    seen = mesh;
    byIdentity = nodesByIdentity(mesh, trustDomain);
    byUid = new Map(mesh.workloads.filter(({ node }) => node !== "").map(({ uid, node }) => [uid, node]));
  };
  return {
    nodesOf: (id) => {
      refresh();
      return byIdentity.get(id) ?? [];
    },
    nodeOf: (uid) => {
      refresh();
      return byUid.get(uid);
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
