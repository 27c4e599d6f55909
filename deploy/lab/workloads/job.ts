import type { RawObject } from "../../../agent/objects/raw-object.ts";
import type { Reader } from "../../../agent/objects/reader.ts";
import type { PodPhase } from "../control/status-protocol.ts";
import { hostName, ownerKey, type PodPlan } from "../pod-spec/pod-plan.ts";
import { warnOfUnsupported } from "../pod-spec/unsupported.ts";
import { readTemplate, type PodTemplate } from "./pod-template.ts";

export interface JobPlan {
  readonly namespace: string;
  readonly name: string;
  readonly completions: number;
  readonly parallelism: number;
  /** The Job fails once more pods than this have failed. */
  readonly backoffLimit: number;
  readonly template: PodTemplate;
}

const FIELDS = [...["completions", "parallelism", "backoffLimit", "template", "selector", "manualSelector"]];
const MAX_PODS = 1_000;

/** batch/v1 Job. */
export function readJob(root: Reader, object: RawObject): JobPlan {
  const spec = root.field("spec").required();
  warnOfUnsupported(spec, FIELDS);
  const parallelism = spec.field("parallelism").integer(0, MAX_PODS) ?? 1;
  return {
    namespace: object.namespace,
    name: object.name,
    // Without `completions` Kubernetes wants as many as run in parallel. A Job with parallelism 0 is not complete.
    completions: spec.field("completions").integer(0, MAX_PODS) ?? Math.max(1, parallelism),
    parallelism,
    backoffLimit: spec.field("backoffLimit").integer(0, MAX_PODS) ?? 6,
    template: readTemplate(root, object, ["Never", "OnFailure"]),
  };
}

/** One of a Job's pods. `suffix`: 5 letters, different for each pod. */
export function jobPod(plan: JobPlan, suffix: string): PodPlan {
  const { namespace, template } = plan;
  const name = `${plan.name}-${suffix}`;
  const labels = { ...template.labels, "batch.kubernetes.io/job-name": plan.name, "job-name": plan.name };
  const owner = { apiVersion: "batch/v1", kind: "Job", name: plan.name, controller: true, uid: plan.name };
  return {
    namespace,
    name,
    hostname: hostName(name),
    spec: template.spec,
    metadata: { ...template.metadata, name, namespace, labels, ownerReferences: [owner] },
    rawSpec: template.rawSpec,
    labels,
    revision: template.hash,
    owner: ownerKey("Job", plan),
  };
}

/** What `nextJobStep` reads of a Job's pod. */
export interface JobPod {
  readonly revision: string;
  readonly phase: PodPhase;
  /** How often its containers have restarted. */
  readonly restarts: number;
  readonly stopping: boolean;
  readonly createdAt: Date;
}

/** A Job's failure. It holds until the Job's template changes. */
export interface JobFailure {
  readonly namespace: string;
  readonly name: string;
  readonly revision: string;
  readonly reason: string;
}

export interface JobStep<T> {
  readonly create: number;
  readonly remove: readonly T[];
  /** The caller passes this to the next step. undefined: the Job has not failed. */
  readonly failure: JobFailure | undefined;
}

/**
 * Pure. Runs up to `parallelism` pods at a time until `completions` of them have succeeded. Pods that have ended stay, so
 * that people can look at them. A Job with a changed template begins anew, where an API server would want it deleted first.
 * `failed`: the failure of an earlier step, whose pods are gone and cannot be counted again.
 */
export function nextJobStep<T extends JobPod>(plan: JobPlan, pods: readonly T[], failed?: JobFailure): JobStep<T> {
  const revision = plan.template.hash;
  const old = pods.filter((pod) => pod.revision !== revision && !pod.stopping);
  if (old.length > 0) return { create: 0, remove: old, failure: undefined };
  const own = pods.filter((pod) => pod.revision === revision && !pod.stopping);
  const active = own.filter(({ phase }) => phase === "Pending" || phase === "Running");
  const succeeded = own.filter(({ phase }) => phase === "Succeeded").length;
  if (failed?.revision === revision) return { create: 0, remove: active, failure: failed };
  const lost = own.filter(({ phase }) => phase === "Failed").length;
  const tries = active.reduce((sum, pod) => sum + pod.restarts, lost);
  if (tries > plan.backoffLimit) {
    const reason = `BackoffLimitExceeded: ${tries} failed, and backoffLimit is ${plan.backoffLimit}`;
    return { create: 0, remove: active, failure: { namespace: plan.namespace, name: plan.name, revision, reason } };
  }
  const wanted = Math.max(0, Math.min(plan.parallelism, plan.completions - succeeded));
  const oldestFirst = active.toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
  return { create: Math.max(0, wanted - active.length), remove: oldestFirst.slice(wanted), failure: undefined };
}
