import { mustGo } from "./must-go.ts";
import type { GuardedDestination } from "./guarded-destinations.ts";
import type { WrittenSet } from "./bound-sets.ts";

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
  guarded: readonly GuardedDestination[],
): readonly string[] {
  const sizes = new Map<string, number>();
  for (const { told } of guarded) {
    const { name, policySet: id } = told;
    sizes.set(id, (sizes.get(id) ?? 0) + name.length + id.length + ENTRY);
  }
  const all = [...sizes].map(([id, size]) => ({ id, size, namespace: sets.get(id)?.namespace ?? "", shared: [] }));
  return mustGo(all, new Map(), ALL_DESTINATIONS).map(({ id }) => id);
}
