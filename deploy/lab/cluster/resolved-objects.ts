import { SERVICE_NAME_LABEL } from "../../../agent/objects/endpoint-slice.ts";
import { ipFamilyName } from "../../../agent/objects/ip-family.ts";
import { NETNS_ANNOTATION } from "../../../agent/sources/annotated-sandboxes.ts";
import type { NodePlace } from "../nodes/node-place.ts";
import { asObject } from "../pod-spec/pod-plan.ts";
import type { Pod } from "../pods/pod.ts";
import type { Slice } from "../services/endpoint-slices.ts";
import type { ServicePlan } from "../services/service-plan.ts";
import type { Labels } from "./enrollment-overrides.ts";

/** Objects as an API server would show them: as written, with the fields that a cluster fills in. */

export function podObject(pod: Pod, labels: Labels): object {
  const { plan, node, addresses } = pod;
  const timestamp = seconds(pod.createdAt);
  const ips = [addresses.ipv4, addresses.ipv6].filter((ip) => ip !== undefined);
  const { hostNetwork: _, ...spec } = plan.rawSpec;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...plan.metadata,
      name: plan.name,
      namespace: plan.namespace,
      uid: pod.uid,
      creationTimestamp: timestamp,
      labels,
      annotations: { ...asObject(plan.metadata["annotations"]), [NETNS_ANNOTATION]: pod.netnsPath },
      ...(pod.stopping ? { deletionTimestamp: timestamp } : {}),
    },
    spec: { ...spec, nodeName: node.name, serviceAccountName: plan.spec.serviceAccount },
    status: {
      phase: pod.phase,
      hostIP: node.addresses.uplink.ipv4,
      podIP: addresses.ipv4,
      podIPs: ips.map((ip) => ({ ip })),
      startTime: timestamp,
      conditions: [{ type: "Ready", status: pod.ready ? "True" : "False" }],
      containerStatuses: pod.containers.map((container) => ({
        name: container.spec.name,
        ready: pod.isReady(container),
        restartCount: container.restarts,
      })),
    },
  };
}

export function serviceObject(service: ServicePlan, clusterIPs: readonly string[]): object {
  const headless = service.kind === "Headless";
  const addresses = headless ? ["None"] : clusterIPs;
  const resolved =
    service.kind === "ExternalName"
      ? {}
      : { clusterIP: addresses[0], clusterIPs: addresses, ipFamilies: service.families.map(ipFamilyName) };
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { ...service.metadata, name: service.name, namespace: service.namespace },
    spec: { ...service.rawSpec, ...resolved },
  };
}

export function sliceObject(slice: Slice): object {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: slice.name, namespace: slice.namespace, labels: { [SERVICE_NAME_LABEL]: slice.service } },
    addressType: ipFamilyName(slice.family),
    ports: slice.ports.map(({ name, port, transport, appProtocol }) => ({
      name,
      port,
      protocol: transport,
      appProtocol,
    })),
    endpoints: slice.endpoints.map(({ addresses, ready, terminating, hostname, node, pod, podUid }) => ({
      addresses,
      conditions: { ready, serving: ready, terminating },
      hostname,
      nodeName: node,
      targetRef: { kind: "Pod", namespace: slice.namespace, name: pod, uid: podUid },
    })),
  };
}

export function nodeObject({ name, addresses }: NodePlace): object {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels: { "kubernetes.io/hostname": name } },
    spec: { podCIDR: addresses.podCidr.ipv4, podCIDRs: [addresses.podCidr.ipv4, addresses.podCidr.ipv6] },
    status: { addresses: [{ type: "InternalIP", address: addresses.uplink.ipv4 }] },
  };
}

export function namespaceObject(name: string, labels: Labels, metadata: Readonly<Record<string, unknown>>): object {
  return { apiVersion: "v1", kind: "Namespace", metadata: { ...metadata, name, labels } };
}

/** RFC 3339 to the second, as the API server writes it. */
function seconds(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
