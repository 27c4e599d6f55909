import type { RawObject } from "../../agent/objects/raw-object.ts";
import type { Reader } from "../../agent/objects/reader.ts";
import { asObject, hostName } from "./pod-manifest.ts";
import type { PodPlan } from "./pod-plan.ts";
import { ownerKey } from "./pod-plan.ts";
import { readTemplate, type PodTemplate } from "./pod-template.ts";
import { warnOfUnsupported } from "./unsupported.ts";
import type { VolumeSpec } from "./volume-spec.ts";

export interface StatefulSetPlan {
  readonly namespace: string;
  readonly name: string;
  readonly replicas: number;
  /** The headless Service that gives its pods their names. */
  readonly serviceName: string;
  readonly management: "OrderedReady" | "Parallel";
  readonly firstOrdinal: number;
  /** Names of its volumeClaimTemplates: each pod has one of each, and finds it again. */
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

/** The pod with an ordinal: always under the same name, with the same claims. */
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
