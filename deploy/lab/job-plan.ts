import type { RawObject } from "../../agent/objects/raw-object.ts";
import type { Reader } from "../../agent/objects/reader.ts";
import { hostName } from "./pod-manifest.ts";
import { ownerKey, type PodPlan } from "./pod-plan.ts";
import { readTemplate, type PodTemplate } from "./pod-template.ts";
import { warnOfUnsupported } from "./unsupported.ts";

export interface JobPlan {
  readonly namespace: string;
  readonly name: string;
  readonly completions: number;
  readonly parallelism: number;
  /** So many pods may fail before the Job has. */
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
    // Without a number of completions Kubernetes runs them side by side, too. A Job that may run nothing is not through.
    completions: spec.field("completions").integer(0, MAX_PODS) ?? Math.max(1, parallelism),
    parallelism,
    backoffLimit: spec.field("backoffLimit").integer(0, MAX_PODS) ?? 6,
    template: readTemplate(root, object, ["Never", "OnFailure"]),
  };
}

/** One of a Job's pods. `suffix`: 5 letters that no other pod of it has. */
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
