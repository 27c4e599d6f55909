import { compareText } from "../lib/compare.ts";
import { Remembered, SameList } from "../lib/remember.ts";
import type { EndpointSlice } from "../model/endpoint.ts";
import type { Mesh } from "../model/mesh.ts";
import { DEFAULT_MESH_OPTIONS, type MeshOptions } from "../model/mesh-options.ts";
import { compareNames, type ObjectMeta } from "../model/meta.ts";
import type { Namespace } from "../model/namespace.ts";
import type { Service } from "../model/service.ts";
import type { Workload } from "../model/workload.ts";
import { describeObject } from "../model/object-ref.ts";
import type { Problem } from "../model/problem.ts";
import { withoutSharedClusterIPs, withoutSharedPodAddresses, type Sourced } from "./address-conflicts.ts";
import { withFreeExternalAddresses } from "./external-addresses.ts";
import { heldAddresses } from "./held-addresses.ts";
import { readAuthorizationPolicies } from "./authorization/authorization-policy.ts";
import { readBackendTrafficPolicies } from "./backend-traffic-policy.ts";
import { checkEndpointTargets } from "./endpoint-targets.ts";
import { deriveEndpointSlices } from "./derive-endpoint-slices.ts";
import { readEndpointSlice } from "./endpoint-slice.ts";
import { readHttpRoutes } from "./http-route/http-route.ts";
import { isServedKind } from "./kinds.ts";
import { mergeObjects } from "./merge-objects.ts";
import { Notes } from "./notes.ts";
import { readNamespace } from "./namespace.ts";
import { readNode } from "./node.ts";
import { readPeerAuthentications } from "./peer-authentication.ts";
import { readPod, type ReadPod } from "./pod.ts";
import type { RawObject } from "./raw-object.ts";
import { Reader } from "./reader.ts";
import { readReferenceGrant, type ReferenceGrant } from "./http-route/reference-grant.ts";
import { readRequestAuthentications } from "./tokens/request-authentication.ts";
import { readService, type ReadService } from "./service.ts";

/** The result of reading one object. */
interface Reading<T> {
  readonly value: T | undefined;
  readonly problems: readonly Problem[];
}

const NO_LABELS: ObjectMeta["labels"] = {};

/** Keeps what objects said, from one mesh of a source to the next. The meshes are the same without it. */
export class MeshMemory {
  readonly namespaces = new Remembered<RawObject, Reading<Namespace>>();
  readonly pods = new Remembered<RawObject, Reading<ReadPod>>();
  readonly services = new Remembered<RawObject, Reading<ReadService>>();
  readonly slices = new Remembered<RawObject, Reading<EndpointSlice>>();
  readonly grants = new Remembered<RawObject, Reading<ReferenceGrant>>();
  /** The compiler makes much of these two lists. */
  readonly workloadList = new SameList<Workload>();
  readonly serviceList = new SameList<Service>();
}

/**
 * The mesh that a set of objects describes, in any order. Never throws: it leaves out objects that it cannot read (policies
 * fail closed) and names it in `problems`.
 */
export function objectsToMesh(
  objects: readonly RawObject[],
  options: Partial<MeshOptions> = {},
  memory = new MeshMemory(),
): Mesh {
  const settings: MeshOptions = { ...DEFAULT_MESH_OPTIONS, ...options };
  const problems: Problem[] = [];
  const merged = mergeObjects(objects, problems);
  const served = merged.filter((object) => isServedKind(object, problems));
  const ofKind = (kind: string): readonly RawObject[] => served.filter((object) => object.kind === kind);
  const read = <T>(
    kind: string,
    remembered: Remembered<RawObject, Reading<T>>,
    convert: (root: Reader, object: RawObject) => T | undefined,
    depends: (object: RawObject) => readonly unknown[] = () => [],
  ): readonly Sourced<T>[] =>
    ofKind(kind).flatMap((object) => {
      const { value, problems: own } = remembered.get(object, "", depends(object), () => {
        const found: Problem[] = [];
        return { value: convert(new Reader(object.value, new Notes(object, found)), object), problems: found };
      });
      problems.push(...own);
      return value === undefined ? [] : [{ object, value }];
    });

  const namespaces = read("Namespace", memory.namespaces, readNamespace).map(({ value }) => value);
  const labelsByName = new Map(namespaces.map(({ meta }) => [meta.name, meta.labels]));
  const labelsOf = ({ namespace }: RawObject): ObjectMeta["labels"] => labelsByName.get(namespace) ?? NO_LABELS;
  const { enrollmentLabel } = settings;
  const podsRead = read(
    "Pod",
    memory.pods,
    (root, object) => readPod(root, object, labelsOf(object), settings),
    (object) => [labelsOf(object), enrollmentLabel.key, enrollmentLabel.value],
  );
  const pods = withoutSharedPodAddresses(podsRead, problems).map(({ value }) => value);
  const nodes = merged.filter(({ group, kind }) => group === "" && kind === "Node").map(readNode);
  const held = heldAddresses(pods, nodes);
  const ownClusterIPs = withoutSharedClusterIPs(read("Service", memory.services, readService), held, problems);
  const readServices = withFreeExternalAddresses(ownClusterIPs, held, problems).map(({ value }) => value);
  const services = memory.serviceList.of(sorted(readServices.map(({ service }) => service)));
  const slicesRead = read("EndpointSlice", memory.slices, readEndpointSlice);
  const slices = slicesRead.map(({ value }) => value);
  const grants = read("ReferenceGrant", memory.grants, readReferenceGrant).map(({ value }) => value);
  const workloads = memory.workloadList.of(sorted(pods.map(({ workload }) => workload)));
  checkEndpointTargets(slicesRead, workloads, problems);
  const derived = deriveEndpointSlices(readServices, sortPods(pods), slices, settings.limits, problems);
  return {
    namespaces: sorted(namespaces),
    nodes: nodes.toSorted((a, b) => compareText(a.name, b.name)),
    workloads,
    services,
    endpointSlices: sorted([...slices, ...derived]),
    httpRoutes: sorted(readHttpRoutes(ofKind("HTTPRoute"), { services, grants, limits: settings.limits }, problems)),
    authorizationPolicies: sorted(
      readAuthorizationPolicies(ofKind("AuthorizationPolicy"), readServices, settings.limits, problems),
    ),
    requestAuthentications: sorted(
      readRequestAuthentications(ofKind("RequestAuthentication"), readServices, settings.limits, problems),
    ),
    backendTrafficPolicies: sorted(readBackendTrafficPolicies(ofKind("XBackendTrafficPolicy"), services, problems)),
    peerAuthentications: sorted(readPeerAuthentications(ofKind("PeerAuthentication"), settings, problems)),
    problems: problems.sort(compareProblems),
  };
}

function sorted<T extends { readonly meta: ObjectMeta }>(list: readonly T[]): readonly T[] {
  return list.toSorted((a, b) => compareNames(a.meta, b.meta));
}

function sortPods<T extends { readonly workload: { readonly meta: ObjectMeta } }>(pods: readonly T[]): readonly T[] {
  return pods.toSorted((a, b) => compareNames(a.workload.meta, b.workload.meta));
}

export function compareProblems(a: Problem, b: Problem): number {
  return (
    compareText(a.origin.file, b.origin.file) ||
    (a.origin.line ?? 0) - (b.origin.line ?? 0) ||
    compareText(describeObject(a.subject), describeObject(b.subject)) ||
    compareText(a.field, b.field) ||
    compareText(a.code, b.code) ||
    compareText(a.reason, b.reason)
  );
}
