import type { ResourceKind } from "./types.ts";

/** What of a kind may be sent in a step: new and changed resources, removals, or both in one response. */
export type StepMode = "upsert" | "remove" | "both";

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
 * Filters come before listeners and routes: what they guard must not be reachable before they know of it.
 * Envoy handles the removals of one LDS response before its additions, so that an address can change hands.
 */
export const STEPS: readonly Step[] = [
  { mode: "upsert", kinds: ["clusters", "endpoints", "secrets"], awaits: [{ from: "clusters", to: "endpoints" }] },
  { mode: "upsert", kinds: ["extensions"], awaits: [] },
  { mode: "both", kinds: ["listeners"], awaits: [{ from: "listeners", to: "extensions" }] },
  { mode: "both", kinds: ["routes"], awaits: [{ from: "listeners", to: "routes" }] },
  { mode: "remove", kinds: ["clusters"], awaits: [] },
  { mode: "remove", kinds: ["endpoints", "secrets", "extensions"], awaits: [] },
];

/** Envoy always subscribes to all of these, so an exchange that lacks one of them is not complete. */
export const WILDCARD_KINDS: readonly ResourceKind[] = ["clusters", "listeners"];
