import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dnsService } from "../dns/dns-zone.ts";
import type { LabNode } from "../nodes/lab-node.ts";
import { podKey } from "../pod-spec/pod-plan.ts";
import type { Pod } from "../pods/pod.ts";
import { ClusterIPs, type RefusedClusterIP } from "../services/cluster-ips.ts";
import { resolveServices, type ResolvedService } from "../services/resolve-services.ts";
import type { Desired } from "./desired.ts";
import type { EnrollmentOverrides, Labels } from "./enrollment-overrides.ts";
import { namespaceObject, nodeObject, podObject, serviceObject, sliceObject } from "./resolved-objects.ts";

/** Tells the agents, the name servers, the kubelets and kube-proxy what the cluster is now. */
export class ClusterPublisher {
  readonly #files: ClusterFiles;
  readonly #nodes: readonly LabNode[];
  readonly #enrollment: EnrollmentOverrides;
  readonly #toKubeProxy: (services: readonly ResolvedService[]) => void;
  readonly #clusterIPs = new ClusterIPs();
  #services: readonly ResolvedService[] = [];

  /** `folder`: where the agents read the resolved objects. */
  constructor(
    folder: string,
    nodes: readonly LabNode[],
    enrollment: EnrollmentOverrides,
    toKubeProxy: (services: readonly ResolvedService[]) => void,
  ) {
    this.#files = new ClusterFiles(folder);
    this.#nodes = nodes;
    this.#enrollment = enrollment;
    this.#toKubeProxy = toKubeProxy;
  }

  get services(): readonly ResolvedService[] {
    return this.#services;
  }

  get refusedClusterIPs(): readonly RefusedClusterIP[] {
    return this.#clusterIPs.refused;
  }

  publish(desired: Desired, pods: readonly Pod[]): void {
    const labelled = pods.map((pod) => ({ pod, labels: this.podLabels(pod) }));
    this.#services = resolveServices(
      desired.services,
      desired.slices,
      labelled.map(({ pod, labels }) => ({
        uid: pod.uid,
        plan: pod.plan,
        labels,
        node: pod.node,
        addresses: pod.addresses,
        ready: pod.ready,
        stopping: pod.stopping,
        ended: pod.phase === "Succeeded" || pod.phase === "Failed",
      })),
      this.#clusterIPs,
    );
    this.#files.write({
      nodes: this.#nodes.map(({ place }) => nodeObject(place)),
      namespaces: this.#changedNamespaces(desired.namespaces),
      services: this.#services.map(({ plan, clusterIPs }) => serviceObject(plan, clusterIPs)),
      pods: labelled.map(({ pod, labels }) => podObject(pod, labels)),
      endpointslices: this.#services.flatMap(({ ownSlices }) => ownSlices.map(sliceObject)),
    });
    const names = this.#services.map(dnsService);
    for (const node of this.#nodes) {
      node.setDns(names);
      node.setProbes(pods.filter((pod) => pod.node.name === node.name).flatMap((pod) => pod.probed()));
    }
    this.#toKubeProxy(this.#services);
  }

  podLabels(pod: Pod): Labels {
    return this.#enrollment.labels(podKey(pod.plan), pod.plan.labels);
  }

  namespaceLabels(name: string, namespaces: Desired["namespaces"]): Labels {
    return this.#enrollment.labels(name, namespaces.get(name)?.labels ?? {});
  }

  /** The Namespaces whose label `ambit enroll` has changed. */
  #changedNamespaces(namespaces: Desired["namespaces"]): readonly object[] {
    return this.#enrollment.namespaces().flatMap((name) => {
      const labels = this.namespaceLabels(name, namespaces);
      // `namespaceLabels` has just dropped a change that does not count any more.
      return this.#enrollment.has(name) ? [namespaceObject(name, labels, namespaces.get(name)?.metadata ?? {})] : [];
    });
  }
}

/** Kinds of resolved objects, in the order in which their files (`pods.json`) are written. */
const FILES = ["nodes", "namespaces", "services", "pods", "endpointslices"] as const;

type ClusterObjects = Readonly<Record<(typeof FILES)[number], readonly object[]>>;

/** The folder of resolved objects: what an API server would have made of the manifests. A file appears as a whole. */
class ClusterFiles {
  readonly #folder: string;
  readonly #written = new Map<string, string>();

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  /** Writes the files that have changed. */
  write(objects: ClusterObjects): void {
    for (const kind of FILES) {
      const text = `${JSON.stringify({ apiVersion: "v1", kind: "List", items: objects[kind] }, undefined, 1)}\n`;
      if (this.#written.get(kind) === text) continue;
      // Readers skip names that begin with a dot.
      const draft = join(this.#folder, `.${kind}.json`);
      writeFileSync(draft, text);
      renameSync(draft, join(this.#folder, `${kind}.json`));
      this.#written.set(kind, text);
    }
  }
}
