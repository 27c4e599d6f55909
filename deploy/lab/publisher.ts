import type { AddressFamily } from "../../agent/objects/addresses.ts";
import type { RawObject } from "../../agent/objects/raw-object.ts";
import { familyOf } from "../../agent/objects/addresses.ts";
import { ClusterFiles } from "./cluster-files.ts";
import { ClusterIPs } from "./cluster-ips.ts";
import type { Desired } from "./desired.ts";
import { dnsService } from "./dns-services.ts";
import { slicesOf } from "./endpoint-controller.ts";
import type { Enrollment, Labels } from "./enrollment.ts";
import type { LabNode } from "./lab-node.ts";
import type { ServiceStatus } from "./lab-status.ts";
import { asObject } from "./pod-manifest.ts";
import { podKey } from "./pod-plan.ts";
import type { Pod } from "./pod.ts";
import { namespaceObject, nodeObject, podObject, serviceObject, sliceObject } from "./resolved-objects.ts";
import { balancedServices, type BalancedService } from "./balanced-services.ts";
import type { ServicePlan } from "./service-plan.ts";
import type { Slice } from "./slice.ts";

/** A Service with its addresses and its endpoints. */
export interface ResolvedService {
  readonly plan: ServicePlan;
  readonly clusterIPs: readonly string[];
  /** The lab's own and those of the manifests. */
  readonly slices: readonly Slice[];
}

/** Tells everybody what the cluster has become: agents by files, name servers, and whoever spreads connections to clusterIPs. */
export class Publisher {
  readonly #files: ClusterFiles;
  readonly #nodes: readonly LabNode[];
  readonly #enrollment: Enrollment;
  readonly #balance: (services: readonly BalancedService[]) => void;
  readonly #clusterIPs = new ClusterIPs();
  #services: readonly ResolvedService[] = [];

  constructor(
    folder: string,
    nodes: readonly LabNode[],
    enrollment: Enrollment,
    balance: (services: readonly BalancedService[]) => void,
  ) {
    this.#files = new ClusterFiles(folder);
    this.#nodes = nodes;
    this.#enrollment = enrollment;
    this.#balance = balance;
  }

  get services(): readonly ResolvedService[] {
    return this.#services;
  }

  publish(desired: Desired, pods: readonly Pod[]): void {
    const labelled = pods.map((pod) => ({ pod, labels: this.podLabels(pod) }));
    const own = new Map(
      desired.services.map((service) => [
        podKey(service),
        slicesOf(
          service,
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
        ),
      ]),
    );
    const addresses = this.#clusterIPs.assign(desired.services);
    const written = new Map<string, Slice[]>();
    for (const slice of desired.slices) {
      const key = podKey({ namespace: slice.namespace, name: slice.service });
      const others = written.get(key);
      if (others === undefined) written.set(key, [slice]);
      else others.push(slice);
    }
    this.#services = desired.services.map((plan) => ({
      plan,
      clusterIPs: addresses.get(podKey(plan)) ?? [],
      slices: [...(own.get(podKey(plan)) ?? []), ...(written.get(podKey(plan)) ?? [])],
    }));
    this.#files.write({
      nodes: this.#nodes.map(({ place }) => nodeObject(place)),
      namespaces: this.#changedNamespaces(desired.namespaces),
      services: this.#services.map(({ plan, clusterIPs }) => serviceObject(plan, clusterIPs)),
      pods: labelled.map(({ pod, labels }) => podObject(pod, labels)),
      endpointslices: [...own.values()].flat().map(sliceObject),
    });
    const names = this.#services.map(({ plan, clusterIPs, slices }) => dnsService(plan, clusterIPs, slices));
    for (const node of this.#nodes) {
      node.setDns(names);
      node.setProbes(pods.filter((pod) => pod.node.name === node.name).flatMap((pod) => pod.probed()));
    }
    this.#balance(balancedServices(this.#services));
  }

  podLabels(pod: Pod): Labels {
    return this.#enrollment.labels(podKey(pod.plan), pod.plan.labels);
  }

  namespaceLabels(name: string, namespaces: ReadonlyMap<string, RawObject>): Labels {
    return this.#enrollment.labels(name, labelsOf(namespaces.get(name)));
  }

  /** Those whose label `ambit enroll` has changed. */
  #changedNamespaces(namespaces: ReadonlyMap<string, RawObject>): readonly object[] {
    return this.#enrollment.namespaces().flatMap((name) => {
      const labels = this.namespaceLabels(name, namespaces);
      const metadata = asObject(namespaces.get(name)?.value["metadata"]);
      // Asking for the labels has told whether the change still counts.
      return this.#enrollment.has(name) ? [namespaceObject(name, labels, metadata)] : [];
    });
  }
}

export function labelsOf(object: RawObject | undefined): Labels {
  const labels = asObject(asObject(object?.value["metadata"])["labels"]);
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, String(value)]));
}

export function serviceStatus({ plan, clusterIPs, slices }: ResolvedService): ServiceStatus {
  const primary: AddressFamily = familyOf(clusterIPs[0] ?? "") === "IPv6" ? "IPv6" : (plan.families[0] ?? "IPv4");
  return {
    namespace: plan.namespace,
    name: plan.name,
    clusterIP: plan.kind === "Headless" ? "None" : (clusterIPs[0] ?? ""),
    clusterIPs,
    ports: plan.ports.map(({ name, port, protocol, targetPort }) => ({ name, port, protocol, targetPort })),
    endpoints: slices
      .filter(({ family }) => family === primary)
      .flatMap(({ ports, endpoints }) =>
        endpoints
          .filter(({ ready }) => ready)
          .map(({ addresses, node, pod }) => ({
            address: addresses[0] ?? "",
            ports: ports.map(({ name, port }) => ({ name, port })),
            node: node ?? null,
            pod: pod?.name ?? null,
          })),
      ),
  };
}
