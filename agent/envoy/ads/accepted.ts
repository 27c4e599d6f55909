import type { PackedResource } from "./resources.ts";
import { KINDS, type ResourceKind } from "../../xds/snapshot.ts";

/** What Envoys last took of each resource. Outlives streams: an Envoy that starts anew has nothing to go on with. */
export type Accepted = Readonly<Record<ResourceKind, Map<string, PackedResource>>>;

export function noneAccepted(): Accepted {
  return Object.fromEntries(KINDS.map((kind) => [kind, new Map()])) as unknown as Accepted;
}
