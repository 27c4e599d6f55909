import type { ResourceKind } from "../../xds/snapshot.ts";

/**
 * What of a kind may be sent in a step: new and changed resources, removals, or both in one response. "early": new and changed
 * ones that rely on no filter (`PackedResource.reliesOnFilters`).
 */
export type StepMode = "early" | "upsert" | "remove" | "both";

export interface Step {
  readonly mode: StepMode;
  readonly kinds: readonly ResourceKind[];
  /** Kinds whose needs (see `dependencies.ts`) must have arrived before the next step begins. */
  readonly awaits: readonly { readonly from: ResourceKind; readonly to: ResourceKind }[];
}

/**
 * Make before break: nothing is sent that refers to something Envoy does not have, and nothing is removed while
 * something that Envoy has may refer to it. A step begins when Envoy has answered everything of the steps before it.
 * Endpoints and secrets follow their clusters without waiting: Envoy does not acknowledge clusters before they are warm.
 * Filters come before listeners and routes: what they guard must not be reachable before they know of it. So they come before
 * endpoints that are delivered to directly, because the filters of that pass decide, and after endpoints that decide themselves.
 * Envoy handles the removals of one LDS response before its additions, so that an address can change hands.
 */
export const STEPS: readonly Step[] = [
  { mode: "early", kinds: ["endpoints", "secrets"], awaits: [] },
  { mode: "upsert", kinds: ["extensions"], awaits: [] },
  { mode: "upsert", kinds: ["clusters", "endpoints", "secrets"], awaits: [{ from: "clusters", to: "endpoints" }] },
  {
    mode: "both",
    kinds: ["listeners"],
    // A listener, or its chains that are new, is not in use before it has its certificate.
    awaits: [
      { from: "listeners", to: "extensions" },
      { from: "listeners", to: "secrets" },
    ],
  },
  { mode: "both", kinds: ["routes"], awaits: [{ from: "listeners", to: "routes" }] },
  { mode: "remove", kinds: ["clusters"], awaits: [] },
  { mode: "remove", kinds: ["endpoints", "secrets", "extensions"], awaits: [] },
];

/** Envoy always subscribes to all of these, so an exchange that lacks one of them is not complete. */
export const WILDCARD_KINDS: readonly ResourceKind[] = ["clusters", "listeners"];
