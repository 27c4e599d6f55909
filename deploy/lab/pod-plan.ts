import type { PodSpec } from "./pod-spec.ts";

/** A pod that should be there: bare from a manifest, or made by a controller. */
export interface PodPlan {
  readonly namespace: string;
  readonly name: string;
  readonly hostname: string;
  readonly spec: PodSpec;
  /** `metadata` and `spec` as written, for the resolved object. */
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly rawSpec: Readonly<Record<string, unknown>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Changes when the pod's processes have to be started anew. */
  readonly revision: string;
  /** What made it (`ownerKey`); undefined for one from a manifest. */
  readonly owner: string | undefined;
}

type OwnerKind = "Deployment" | "StatefulSet" | "Job";

export function ownerKey(kind: OwnerKind, owner: { readonly namespace: string; readonly name: string }): string {
  return `${kind} ${podKey(owner)}`;
}

export function podKey(pod: { readonly namespace: string; readonly name: string }): string {
  return `${pod.namespace}/${pod.name}`;
}
