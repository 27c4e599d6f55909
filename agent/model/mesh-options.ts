import { DEFAULT_LIMITS, type Limits } from "./limits.ts";

/** Options for reading the input, the same for every node. */
export interface MeshOptions {
  /** The label that puts a Namespace or a Pod into the mesh. The value `none` on a Pod keeps it out. */
  readonly enrollmentLabel: { readonly key: string; readonly value: string };
  /** First part of every principal. */
  readonly trustDomain: string;
  /** AuthorizationPolicies in this namespace hold for the whole mesh. */
  readonly rootNamespace: string;
  /** What the objects of one namespace may use. */
  readonly limits: Limits;
}

export const DEFAULT_MESH_OPTIONS: MeshOptions = {
  enrollmentLabel: { key: "ambit.dev/dataplane-mode", value: "ambient" },
  trustDomain: "cluster.local",
  rootNamespace: "istio-system",
  limits: DEFAULT_LIMITS,
};

/** A label that names a Pod's workload in metrics. */
export const WORKLOAD_LABEL = "ambit.dev/workload";
