import type { Problem } from "../../../agent/model/problem.ts";
import { Notes } from "../../../agent/objects/notes.ts";
import { readLabels } from "../../../agent/objects/object-meta.ts";
import type { RawObject } from "../../../agent/objects/raw-object.ts";
import { Reader } from "../../../agent/objects/reader.ts";
import { readConfigMap, readSecret, type ConfigObject } from "../pod-spec/config-data.ts";
import { asObject, readPodPlan, type PodPlan } from "../pod-spec/pod-plan.ts";
import { readWrittenSlice, type Slice } from "../services/endpoint-slices.ts";
import { readServicePlan, type ServicePlan } from "../services/service-plan.ts";
import { readDeployment, type DeploymentPlan } from "../workloads/deployment.ts";
import { readJob, type JobPlan } from "../workloads/job.ts";
import { readStatefulSet, type StatefulSetPlan } from "../workloads/stateful-set.ts";

/** A Namespace as it is written, before `ambit enroll` changes its label. */
export interface WrittenNamespace {
  readonly labels: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** The part of the manifests that the lab acts on. */
export interface Desired {
  readonly pods: readonly PodPlan[];
  readonly deployments: readonly DeploymentPlan[];
  readonly statefulSets: readonly StatefulSetPlan[];
  readonly jobs: readonly JobPlan[];
  readonly configs: readonly ConfigObject[];
  readonly services: readonly ServicePlan[];
  /** EndpointSlices from the manifests. */
  readonly slices: readonly Slice[];
  /** Namespaces by name. */
  readonly namespaces: ReadonlyMap<string, WrittenNamespace>;
  /** Names of Node objects, in the order of their names. */
  readonly nodes: readonly string[];
  /** Pods and workloads that cannot run as they are written. */
  readonly rejected: readonly {
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
    readonly reason: string;
  }[];
  readonly problems: readonly Problem[];
}

/** Reads objects with different keys. Never throws: `rejected` and `problems` hold what is wrong. */
export function readDesired(objects: readonly RawObject[]): Desired {
  const problems: Problem[] = [];
  const rejected: Desired["rejected"][number][] = [];
  const read = <T>(group: string, kind: string, convert: (root: Reader, object: RawObject) => T | undefined): T[] =>
    objects.flatMap((object) => {
      if (object.group !== group || object.kind !== kind) return [];
      const found: Problem[] = [];
      const notes = new Notes(object, found);
      const value = notes.unlessErrors(() => convert(new Reader(object.value, notes), object));
      problems.push(...found);
      const errors = found.filter(({ severity }) => severity === "error");
      if (errors.length > 0 && RUN.has(kind)) {
        const reason = errors.map((problem) => `${problem.field}: ${problem.reason}`).join("; ");
        rejected.push({ kind, namespace: object.namespace, name: object.name, reason });
      }
      return value === undefined ? [] : [value];
    });
  const desired = {
    pods: read("", "Pod", readPodPlan),
    deployments: read("apps", "Deployment", readDeployment),
    statefulSets: read("apps", "StatefulSet", readStatefulSet),
    jobs: read("batch", "Job", readJob),
    configs: [...read("", "ConfigMap", readConfigMap), ...read("", "Secret", readSecret)],
    services: read("", "Service", readServicePlan),
    slices: read("discovery.k8s.io", "EndpointSlice", readWrittenSlice),
  };
  const ofKind = (kind: string): readonly RawObject[] =>
    objects.filter((object) => object.group === "" && object.kind === kind);
  for (const object of objects) warnOfKind(object, problems);
  return {
    ...desired,
    namespaces: new Map(ofKind("Namespace").map((object) => [object.name, writtenNamespace(object)])),
    nodes: ofKind("Node")
      .map(({ name }) => name)
      .sort(),
    rejected,
    problems,
  };
}

/** The agents report the problems of Namespaces. */
function writtenNamespace(object: RawObject): WrittenNamespace {
  const metadata = new Reader(object.value, new Notes(object, [])).field("metadata");
  return { labels: readLabels(metadata.field("labels")), metadata: asObject(metadata.raw) };
}

/** Kinds that result in pods. */
const RUN = new Set(["Pod", "Deployment", "StatefulSet", "Job"]);
/** Groups in which the lab supports only the kinds above, and some unsupported kinds of other groups. */
const CLUSTER_GROUPS = new Set(["apps", "batch", "autoscaling", "networking.k8s.io", "policy"]);
const CLUSTER_KINDS = new Set(["ReplicationController", "Endpoints", "PersistentVolume", "PersistentVolumeClaim"]);

/** Warns of kinds that have an effect in a cluster and none in the lab. The agents report on the mesh's own kinds. */
function warnOfKind(object: RawObject, problems: Problem[]): void {
  const { group, kind } = object;
  if ((group === "apps" || group === "batch") && RUN.has(kind)) return;
  if (!CLUSTER_GROUPS.has(group) && !(group === "" && CLUSTER_KINDS.has(kind))) return;
  new Notes(object, problems).add("warning", ["kind"], {
    code: "lab-unsupported-kind",
    reason: `the lab does nothing with a ${kind}; a cluster would`,
    remedy: "Write Pods, Deployments, StatefulSets or Jobs, Services and EndpointSlices.",
  });
}
