import { createHash } from "node:crypto";
import { carries } from "../../agent/model/meta.ts";
import { familyOf } from "../../agent/objects/addresses.ts";
import type { PodAddresses } from "./addresses.ts";
import type { PodPlan } from "./pod-plan.ts";
import type { ServicePlan, ServicePortPlan } from "./service-plan.ts";
import type { Slice, SlicePort } from "./slice.ts";

/** What the endpoints of a Service are made of. */
export interface EndpointPod {
  readonly uid: string;
  readonly plan: PodPlan;
  readonly labels: Readonly<Record<string, string>>;
  readonly node: { readonly name: string };
  readonly addresses: PodAddresses;
  readonly ready: boolean;
  readonly stopping: boolean;
  readonly ended: boolean;
}

/** EndpointSlices for a Service with a selector; at least one for each family, as Kubernetes writes. Pure. */
export function slicesOf(service: ServicePlan, pods: readonly EndpointPod[]): readonly Slice[] {
  const { selector, namespace, name } = service;
  if (selector === undefined || service.kind === "ExternalName") return [];
  const chosen = pods.filter((pod) => pod.plan.namespace === namespace && !pod.ended && carries(pod, selector));
  return service.families.flatMap((family) => {
    // Pods that give a port's name different numbers are in different slices: a slice's ports hold for all of it.
    const groups = new Map<string, { ports: readonly SlicePort[]; endpoints: Slice["endpoints"][number][] }>();
    for (const pod of chosen) {
      const address = [pod.addresses.ipv4, pod.addresses.ipv6].find(
        (each) => each !== undefined && familyOf(each) === family,
      );
      if (address === undefined) continue;
      const ports = service.ports.flatMap((port) => resolvePort(port, pod.plan));
      const key = JSON.stringify(ports);
      const group = groups.get(key) ?? { ports, endpoints: [] };
      groups.set(key, group);
      group.endpoints.push({
        addresses: [address],
        ready: service.publishNotReady || (pod.ready && !pod.stopping),
        terminating: pod.stopping,
        hostname: pod.plan.spec.subdomain === name ? pod.plan.spec.hostname : undefined,
        node: pod.node.name,
        pod: { name: pod.plan.name, uid: pod.uid },
      });
    }
    if (groups.size === 0) {
      const ports = service.ports.flatMap((port) => resolvePort(port, undefined));
      groups.set(JSON.stringify(ports), { ports, endpoints: [] });
    }
    return [...groups].map(([key, { ports, endpoints }]) => {
      const suffix = createHash("sha256").update(`${family}${key}`).digest("hex").slice(0, 5);
      return { namespace, name: `${name}-${suffix}`, service: name, family, ports, endpoints };
    });
  });
}

/** None where the pod has no port of that name. */
function resolvePort(port: ServicePortPlan, pod: PodPlan | undefined): SlicePort[] {
  const number =
    typeof port.targetPort === "number"
      ? port.targetPort
      : pod?.spec.containers
          .flatMap((container) => container.ports)
          .find(({ name, protocol }) => name === port.targetPort && protocol === port.protocol)?.port;
  if (number === undefined) return [];
  return [{ name: port.name, port: number, protocol: port.protocol, appProtocol: port.appProtocol }];
}
