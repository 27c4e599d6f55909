import { createHash } from "node:crypto";
import { familyOf, type IpFamily } from "../../../agent/lib/ip-address.ts";
import type { Endpoint, EndpointPort } from "../../../agent/model/endpoint.ts";
import { carries } from "../../../agent/model/meta.ts";
import { readEndpoint, readSlicePort, SERVICE_NAME_LABEL } from "../../../agent/objects/endpoint-slice.ts";
import { ipFamilyName, ipFamilyNamed } from "../../../agent/objects/ip-family.ts";
import type { RawObject } from "../../../agent/objects/raw-object.ts";
import type { Reader } from "../../../agent/objects/reader.ts";
import type { WrittenServicePort } from "../../../agent/objects/service.ts";
import type { PodAddresses } from "../network/address-plan.ts";
import type { PodPlan } from "../pod-spec/pod-plan.ts";
import type { ServicePlan } from "./service-plan.ts";

/** A port of any transport protocol, unlike the mesh's ports. */
export interface SlicePort extends EndpointPort {
  readonly transport: WrittenServicePort["transport"];
  readonly appProtocol?: string | undefined;
}

/** An endpoint as the mesh reads it, and what only a cluster needs to know of it. */
export interface SliceEndpoint extends Endpoint {
  readonly terminating: boolean;
  readonly hostname: string | undefined;
  /** undefined for an endpoint from the manifests. */
  readonly podUid: string | undefined;
}

/** An EndpointSlice that the lab has made, or one from the manifests. */
export interface Slice {
  readonly namespace: string;
  readonly name: string;
  readonly service: string;
  readonly family: IpFamily;
  readonly ports: readonly SlicePort[];
  readonly endpoints: readonly SliceEndpoint[];
}

/** discovery.k8s.io/v1 EndpointSlice. undefined for host names and for a slice of no Service: the agents report both. */
export function readWrittenSlice(root: Reader, object: RawObject): Slice | undefined {
  const type = root.field("addressType").raw;
  const service = root.field("metadata").field("labels").field(SERVICE_NAME_LABEL).raw;
  if ((type !== "IPv4" && type !== "IPv6") || typeof service !== "string") return undefined;
  return {
    namespace: object.namespace,
    name: object.name,
    service,
    family: ipFamilyNamed(type),
    ports: root.field("ports").list((entry) => (entry.field("port").present ? readSlicePort(entry) : undefined)),
    endpoints: root.field("endpoints").list((entry) => {
      const endpoint = readEndpoint(entry, type);
      if (endpoint === undefined) return undefined;
      const terminating = entry.field("conditions").field("terminating").boolean() ?? false;
      return { ...endpoint, terminating, hostname: entry.field("hostname").string(), podUid: undefined };
    }),
  };
}

/** What `slicesOf` reads of a pod. */
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

/** Pure. The EndpointSlices for a Service with a selector: at least one for each family, as Kubernetes writes them. */
export function slicesOf(service: ServicePlan, pods: readonly EndpointPod[]): readonly Slice[] {
  const { selector, namespace, name } = service;
  if (selector === undefined || service.kind === "ExternalName") return [];
  const chosen = pods.filter((pod) => pod.plan.namespace === namespace && !pod.ended && carries(pod, selector));
  return service.families.flatMap((family) => {
    // A slice's ports hold for all its endpoints. Pods with different numbers for a port's name need different slices.
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
        pod: pod.plan.name,
        podUid: pod.uid,
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

/** Empty where the pod has no port of that name. */
function resolvePort(port: WrittenServicePort, pod: PodPlan | undefined): SlicePort[] {
  const number =
    typeof port.targetPort === "number"
      ? port.targetPort
      : pod?.spec.containers
          .flatMap((container) => container.ports)
          .find(({ name, protocol }) => name === port.targetPort && protocol === port.transport)?.port;
  if (number === undefined) return [];
  return [{ name: port.name, port: number, transport: port.transport, appProtocol: port.appProtocol }];
}
