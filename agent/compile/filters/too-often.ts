import type { Workload } from "../../model/workload.ts";
import type { Destination, ServiceTarget } from "../view/destinations.ts";
import { hostPort } from "../view/names.ts";
import type { WrittenSet } from "./bound-sets.ts";
import { mustGo } from "./must-go.ts";

/** Bytes of JSON for the names of all guarded destinations, each with its set (`FilterConfig.clusters`). */
const ALL_DESTINATIONS = 3 << 20;

/** Beside the names. */
const ENTRY = '{"name":"","policySet":"","port":65535},'.length;

/**
 * Ids of the sets that guard so many destinations that the caller's side has no room for these, next to those of other
 * namespaces.
 */
export function tooOften(
  sets: ReadonlyMap<string, Pick<WrittenSet, "namespace">>,
  setOf: (workload: Workload | undefined) => string | undefined,
  targets: readonly ServiceTarget[],
  dialled: readonly Destination[],
): readonly string[] {
  const sizes = new Map<string, number>();
  const add = (name: string, workload: Workload | undefined): void => {
    const id = setOf(workload);
    if (id !== undefined) sizes.set(id, (sizes.get(id) ?? 0) + name.length + id.length + ENTRY);
  };
  for (const { cluster, backends } of targets) add(cluster, backends[0]?.workload);
  for (const { address, port, target, backend } of dialled) {
    add(hostPort(address, port), (backend ?? target.backends[0])?.workload);
  }
  const all = [...sizes].map(([id, size]) => ({ id, size, namespace: sets.get(id)?.namespace ?? "", shared: [] }));
  return mustGo(all, new Map(), ALL_DESTINATIONS).map(({ id }) => id);
}
