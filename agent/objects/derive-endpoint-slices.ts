import type { EndpointPort, EndpointSlice } from "../model/endpoint.ts";
import { namespacedName } from "../model/meta.ts";
import type { Workload } from "../model/workload.ts";
import { familyOf, IP_FAMILIES } from "../lib/ip-address.ts";
import type { ReadPod } from "./pod.ts";
import type { ReadService } from "./service.ts";

/**
 * Makes the EndpointSlices that Kubernetes' endpoint controller would write, for Services with a selector and without a
 * slice. Manifests outside a cluster hold no slices.
 */
export function deriveEndpointSlices(
  services: readonly ReadService[],
  pods: readonly ReadPod[],
  written: readonly EndpointSlice[],
): readonly EndpointSlice[] {
  const served = new Set(written.map((slice) => namespacedName(slice.meta.namespace, slice.service)));
  const podsByNamespace = new Map<string, ReadPod[]>();
  for (const pod of pods) {
    const { namespace } = pod.workload.meta;
    const others = podsByNamespace.get(namespace);
    if (others === undefined) podsByNamespace.set(namespace, [pod]);
    else others.push(pod);
  }
  return services
    .filter(({ service, selector }) => {
      return Object.keys(selector).length > 0 && !served.has(namespacedName(service.meta.namespace, service.meta.name));
    })
    .flatMap((service) => slicesOf(service, podsByNamespace.get(service.service.meta.namespace) ?? []));
}

const ENDPOINT_SLICE = { group: "discovery.k8s.io", version: "v1", kind: "EndpointSlice", uid: undefined } as const;

function slicesOf({ service, selector, publishNotReady }: ReadService, pods: readonly ReadPod[]): EndpointSlice[] {
  const wanted = Object.entries(selector);
  const slices = new Map<string, EndpointSlice & { readonly endpoints: EndpointSlice["endpoints"][number][] }>();
  for (const { workload, ready } of pods) {
    if (workload.terminated || !wanted.every(([key, value]) => workload.meta.labels[key] === value)) continue;
    // Pods that give one name different numbers go to different slices, as all endpoints of a slice share its ports.
    const ports = service.ports.flatMap((port): EndpointPort[] => {
      const number = typeof port.targetPort === "number" ? port.targetPort : portNamed(workload, port.targetPort);
      return number === undefined ? [] : [{ name: port.name, port: number }];
    });
    for (const family of IP_FAMILIES) {
      const addresses = workload.addresses.filter((address) => familyOf(address) === family);
      if (addresses.length === 0) continue;
      const key = JSON.stringify([family, ports]);
      const slice = slices.get(key) ?? {
        meta: {
          ...service.meta,
          ...ENDPOINT_SLICE,
          name: `${service.meta.name}-derived-${slices.size}`,
          labels: {},
          annotations: {},
        },
        service: service.meta.name,
        ports,
        endpoints: [],
      };
      slices.set(key, slice);
      slice.endpoints.push({
        addresses,
        ready: ready || publishNotReady,
        node: workload.node,
        pod: workload.meta.name,
      });
    }
  }
  return [...slices.values()];
}

function portNamed(workload: Workload, name: string): number | undefined {
  return workload.ports.find((port) => port.name === name && port.protocol === "TCP")?.port;
}
