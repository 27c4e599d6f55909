import { createHash } from "node:crypto";
import { carries } from "../../../agent/model/meta.ts";
import { canonicalAddress, familyOf, type IpFamily } from "../../../agent/lib/ip-address.ts";
import { ipFamilyName, ipFamilyNamed } from "../../../agent/objects/ip-family.ts";
import { SERVICE_NAME_LABEL } from "../../../agent/objects/endpoint-slice.ts";
import type { RawObject } from "../../../agent/objects/raw-object.ts";
import type { Reader } from "../../../agent/objects/reader.ts";
import type { PodAddresses } from "../network/address-plan.ts";
import type { PodPlan } from "../pod-spec/pod-plan.ts";
import type { ServicePlan, ServicePortPlan } from "./service-plan.ts";

export interface SlicePort {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
  readonly appProtocol?: string | undefined;
}

export interface SliceEndpoint {
  readonly addresses: readonly string[];
  readonly ready: boolean;
  readonly terminating: boolean;
  readonly hostname: string | undefined;
  readonly node: string | undefined;
  readonly pod: { readonly name: string; readonly uid: string } | undefined;
}

/** An EndpointSlice: the lab's own, or one from the manifests. */
export interface Slice {
  readonly namespace: string;
  readonly name: string;
  readonly service: string;
  readonly family: IpFamily;
  readonly ports: readonly SlicePort[];
  readonly endpoints: readonly SliceEndpoint[];
}

/** discovery.k8s.io/v1 EndpointSlice; undefined for one of host names, or of no Service: of those the agents tell. */
export function readSlice(root: Reader, object: RawObject): Slice | undefined {
  const type = root.field("addressType").raw;
  const service = root.field("metadata").field("labels").field(SERVICE_NAME_LABEL).raw;
  if ((type !== "IPv4" && type !== "IPv6") || typeof service !== "string") return undefined;
  return {
    namespace: object.namespace,
    name: object.name,
    service,
    family: ipFamilyNamed(type),
    ports: root.field("ports").list((entry) => {
      const port = entry.field("port").port();
      if (port === undefined) return undefined;
      return { name: entry.field("name").string() ?? "", port, protocol: entry.field("protocol").string() ?? "TCP" };
    }),
    endpoints: root.field("endpoints").list((entry) => ({
      addresses: entry
        .field("addresses")
        .list((field) => field.parsed(canonicalAddress, "an IP address", "Write an IPv4 or IPv6 address.")),
      ready: entry.field("conditions").field("ready").boolean() ?? true,
      terminating: entry.field("conditions").field("terminating").boolean() ?? false,
      hostname: entry.field("hostname").string(),
      node: entry.field("nodeName").string(),
      pod: undefined,
    })),
  };
}

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
      const suffix = createHash("sha256")
        .update(`${ipFamilyName(family)}${key}`)
        .digest("hex")
        .slice(0, 5);
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
