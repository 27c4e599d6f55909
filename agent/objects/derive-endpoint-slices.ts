import { addTo } from "../lib/group-by.ts";
import type { EndpointPort, EndpointSlice } from "../model/endpoint.ts";
import { limitReached, type Limits } from "../model/limits.ts";
import { compareAge, namespacedName, type ObjectMeta } from "../model/meta.ts";
import type { Problem } from "../model/problem.ts";
import type { Workload } from "../model/workload.ts";
import { familyOf, IP_FAMILIES } from "../lib/ip-address.ts";
import type { ReadPod } from "./pod.ts";
import type { ReadService } from "./service.ts";

/**
 * Makes the EndpointSlices that Kubernetes' endpoint controller would write, for Services with a selector and without a
 * slice. Manifests outside a cluster hold no slices. A namespace whose Services select more endpoints than its limit gets them for
 * the oldest Services: as many Services may select as many pods.
 */
export function deriveEndpointSlices(
  services: readonly ReadService[],
  pods: readonly ReadPod[],
  written: readonly EndpointSlice[],
  { endpoints: limit }: Pick<Limits, "endpoints">,
  problems: Problem[],
): readonly EndpointSlice[] {
  const served = new Set(written.map((slice) => namespacedName(slice.meta.namespace, slice.service)));
  const podsOf = podsByLabel(pods);
  const used = new Map<string, number>();
  return services
    .filter(({ service, selector }) => {
      return Object.keys(selector).length > 0 && !served.has(namespacedName(service.meta.namespace, service.meta.name));
    })
    .toSorted((a, b) => compareAge(a.service.meta, b.service.meta))
    .flatMap((service) => {
      const { meta } = service.service;
      const before = used.get(meta.namespace) ?? 0;
      const slices = before > limit ? [] : slicesOf(service, podsOf(meta.namespace, service.selector));
      const own = slices.reduce((sum, { ports, endpoints }) => sum + ports.length * endpoints.length, 0);
      used.set(meta.namespace, before + own);
      if (before + own <= limit) return slices;
      problems.push(overLimit(meta, limit));
      return [];
    });
}

function overLimit(meta: ObjectMeta, limit: number): Problem {
  return limitReached(meta, {
    field: "spec.selector",
    reason:
      `the pods that it and older Services of the namespace ${meta.namespace} select, times ports, are more than the limit for a ` +
      `namespace, ${limit}: it has no endpoints`,
    remedy: "Have fewer Services select the same pods, or raise the limit: --limits endpoints=NUMBER of every agent.",
  });
}

/** Finds the pods of a namespace that have one of the selector's labels: the label that the fewest have. */
function podsByLabel(
  pods: readonly ReadPod[],
): (namespace: string, selector: Readonly<Record<string, string>>) => readonly ReadPod[] {
  const found = new Map<string, ReadPod[]>();
  const keyOf = (namespace: string, label: readonly [string, string]): string => JSON.stringify([namespace, ...label]);
  for (const pod of pods) {
    const { namespace, labels } = pod.workload.meta;
    for (const label of Object.entries(labels)) addTo(found, keyOf(namespace, label), pod);
  }
  return (namespace, selector) =>
    Object.entries(selector)
      .map((label) => found.get(keyOf(namespace, label)) ?? [])
      .reduce((a, b) => (b.length < a.length ? b : a));
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
