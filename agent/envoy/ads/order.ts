import type { ResourceKind } from "../../xds/snapshot.ts";

/**
 * Which resources of a kind a step sends. "upsert": new and changed ones; "remove": removals; "both": both in one response;
 * "early": new and changed ones that rely on no filter (`PackedResource.reliesOnFilters`), and in place of endpoints that the next
 * filters may not guard, the same ones through their own filters.
 */
export type StepMode = "early" | "upsert" | "remove" | "both";

export interface Step {
  readonly mode: StepMode;
  readonly kinds: readonly ResourceKind[];
  /** Kinds whose needs (see `dependencies.ts`) must have arrived before the next step begins. */
  readonly awaits: readonly { readonly from: ResourceKind; readonly to: ResourceKind }[];
}

/**
 * Make before break: no resource is sent before the resources that it refers to, and none is removed while a resource that
 * Envoy has may refer to it. A step begins when Envoy has answered all responses of the steps before it.
 *
 * - A listener's limits come before the listener.
 * - Endpoints and secrets follow their clusters without waiting, because Envoy acknowledges a cluster only when it is warm.
 * - Filters come before listeners and routes: a pod must not be reachable before the filters know the policies that guard it.
 *   For the same reason filters come before endpoints that are delivered to directly, where the filters of the caller's pass
 *   decide. They come after endpoints whose own inbound pass decides, and endpoints that change or go pass their own filters
 *   from before the filters change: the new filters do not name a cluster that is gone, or name other policies for it.
 * - Envoy handles the removals of an LDS response before its additions, so that another listener can take over an address.
 */
export const STEPS: readonly Step[] = [
  { mode: "both", kinds: ["runtime"], awaits: [] },
  { mode: "early", kinds: ["endpoints", "secrets"], awaits: [] },
  { mode: "upsert", kinds: ["extensions"], awaits: [] },
  { mode: "upsert", kinds: ["clusters", "endpoints", "secrets"], awaits: [{ from: "clusters", to: "endpoints" }] },
  {
    mode: "both",
    kinds: ["listeners"],
    // Envoy does not use a listener, or a new filter chain of it, before it has the certificate.
    awaits: [
      { from: "listeners", to: "extensions" },
      { from: "listeners", to: "secrets" },
    ],
  },
  { mode: "both", kinds: ["routes"], awaits: [{ from: "listeners", to: "routes" }] },
  { mode: "remove", kinds: ["clusters"], awaits: [] },
  { mode: "remove", kinds: ["endpoints", "secrets", "extensions"], awaits: [] },
];

/** Envoy always subscribes to all resources of these kinds. Without such a subscription an exchange is not complete. */
export const WILDCARD_KINDS: readonly ResourceKind[] = ["clusters", "listeners"];
