import type { RawObject } from "../../../agent/objects/raw-object.ts";
import type { Reader } from "../../../agent/objects/reader.ts";
import { asObject, hostName, type PodPlan, ownerKey } from "../pod-spec/pod-plan.ts";
import { warnOfUnsupported } from "../pod-spec/unsupported.ts";
import type { VolumeSpec } from "../pod-spec/volume-spec.ts";
import { readTemplate, type PodTemplate } from "./pod-template.ts";

export interface StatefulSetPlan {
  readonly namespace: string;
  readonly name: string;
  readonly replicas: number;
  /** The headless Service that gives its pods their names. */
  readonly serviceName: string;
  readonly management: "OrderedReady" | "Parallel";
  readonly firstOrdinal: number;
  /** Names of its volumeClaimTemplates. Each pod has a volume for each, and keeps it over restarts. */
  readonly claims: readonly string[];
  readonly template: PodTemplate;
}

const FIELDS = [
  ...["replicas", "selector", "template", "serviceName", "podManagementPolicy", "volumeClaimTemplates", "ordinals"],
  "revisionHistoryLimit",
];
const MAX_REPLICAS = 1_000;

/** apps/v1 StatefulSet. */
export function readStatefulSet(root: Reader, object: RawObject): StatefulSetPlan {
  const spec = root.field("spec").required();
  warnOfUnsupported(spec, FIELDS);
  const claims = spec
    .field("volumeClaimTemplates")
    .list((claim) => claim.field("metadata").field("name").required().string());
  return {
    namespace: object.namespace,
    name: object.name,
    replicas: spec.field("replicas").integer(0, MAX_REPLICAS) ?? 1,
    serviceName: spec.field("serviceName").string() ?? "",
    management: spec.field("podManagementPolicy").oneOf(["OrderedReady", "Parallel"]) ?? "OrderedReady",
    firstOrdinal: spec.field("ordinals").field("start").integer(0, MAX_REPLICAS) ?? 0,
    claims,
    template: readTemplate(root, object, ["Always"], claims),
  };
}

/** The pod with this ordinal. Its name and its claims are always the same. */
export function statefulPod(plan: StatefulSetPlan, ordinal: number): PodPlan {
  const { namespace, template, claims, serviceName } = plan;
  const name = `${plan.name}-${ordinal}`;
  const labels = {
    ...template.labels,
    "apps.kubernetes.io/pod-index": String(ordinal),
    "controller-revision-hash": `${plan.name}-${template.hash}`,
    "statefulset.kubernetes.io/pod-name": name,
  };
  const owner = { apiVersion: "apps/v1", kind: "StatefulSet", name: plan.name, controller: true, uid: plan.name };
  const volumes: readonly VolumeSpec[] = claims.map((claim) => ({
    name: claim,
    source: { type: "claim", name: `${claim}-${name}` },
  }));
  const subdomain = serviceName === "" ? template.spec.subdomain : serviceName;
  return {
    namespace,
    name,
    hostname: hostName(name),
    spec: { ...template.spec, hostname: hostName(name), subdomain, volumes: [...template.spec.volumes, ...volumes] },
    metadata: { ...template.metadata, name, namespace, labels, ownerReferences: [owner] },
    rawSpec: { ...asObject(template.rawSpec), hostname: name, ...(subdomain === undefined ? {} : { subdomain }) },
    labels,
    revision: template.hash,
    owner: ownerKey("StatefulSet", plan),
  };
}

/** What `nextStatefulStep` reads of a StatefulSet's pod. */
export interface OrdinalPod {
  readonly name: string;
  readonly revision: string;
  readonly ready: boolean;
  readonly stopping: boolean;
}

export interface StatefulSetStep<T> {
  /** Ordinals to start. */
  readonly create: readonly number[];
  readonly remove: readonly T[];
}

/**
 * Pure. Starts one pod after the other, each once all earlier pods are ready. Removes the last pod first, to scale down and to
 * replace pods with a new template. `Parallel` scales all pods at once, but also replaces them one by one.
 */
export function nextStatefulStep<T extends OrdinalPod>(plan: StatefulSetPlan, pods: readonly T[]): StatefulSetStep<T> {
  const byOrdinal = new Map(pods.map((pod) => [ordinalOf(pod.name), pod]));
  const wanted = Array.from({ length: plan.replicas }, (_, index) => plan.firstOrdinal + index);
  const surplus = pods.filter((pod) => !wanted.includes(ordinalOf(pod.name))).toSorted(lastFirst);
  const missing = wanted.filter((ordinal) => !byOrdinal.has(ordinal));
  if (plan.management === "Parallel") {
    if (surplus.length > 0 || missing.length > 0) return { create: missing, remove: surplus };
  } else {
    // A pod that is being removed keeps its name until it is gone. The pods after it wait for that.
    const [next] = missing;
    const before = pods.filter((pod) => next === undefined || ordinalOf(pod.name) < next);
    if (next !== undefined) return { create: before.every(isSettled) ? [next] : [], remove: [] };
    if (surplus.length > 0) return { create: [], remove: surplus.slice(0, 1) };
  }
  if (!pods.every(isSettled)) {
    // A pod that never gets ready must not block the template that would repair it.
    const stuck = pods.filter((pod) => !pod.stopping && !pod.ready && pod.revision !== plan.template.hash);
    return { create: [], remove: stuck.toSorted(lastFirst).slice(0, 1) };
  }
  const old = pods.filter((pod) => pod.revision !== plan.template.hash).toSorted(lastFirst);
  return { create: [], remove: old.slice(0, 1) };
}

function isSettled({ ready, stopping }: OrdinalPod): boolean {
  return ready && !stopping;
}

function lastFirst(a: OrdinalPod, b: OrdinalPod): number {
  return ordinalOf(b.name) - ordinalOf(a.name);
}

function ordinalOf(name: string): number {
  return Number(name.slice(name.lastIndexOf("-") + 1));
}
