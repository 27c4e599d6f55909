import { groupBy } from "../../../agent/lib/group-by.ts";
import { familyOf, type IpFamily } from "../../../agent/lib/ip-address.ts";
import type { ServiceStatus } from "../control/status-protocol.ts";
import { podKey } from "../pod-spec/pod-plan.ts";
import type { ClusterIPs } from "./cluster-ips.ts";
import { slicesOf, type EndpointPod, type Slice } from "./endpoint-slices.ts";
import type { ServicePlan } from "./service-plan.ts";

/** A Service with its addresses and its endpoints. */
export interface ResolvedService {
  readonly plan: ServicePlan;
  readonly clusterIPs: readonly string[];
  /** EndpointSlices that the lab has made from the Service's selector. */
  readonly ownSlices: readonly Slice[];
  /** `ownSlices`, and the EndpointSlices in the manifests for this Service. */
  readonly slices: readonly Slice[];
}

/** `written`: EndpointSlices from the manifests. */
export function resolveServices(
  services: readonly ServicePlan[],
  written: readonly Slice[],
  pods: readonly EndpointPod[],
  clusterIPs: ClusterIPs,
): readonly ResolvedService[] {
  const addresses = clusterIPs.assign(services);
  const writtenFor = groupBy(written, ({ namespace, service }) => podKey({ namespace, name: service }));
  return services.map((plan) => {
    const key = podKey(plan);
    const ownSlices = slicesOf(plan, pods);
    const slices = [...ownSlices, ...(writtenFor.get(key) ?? [])];
    return { plan, clusterIPs: addresses.get(key) ?? [], ownSlices, slices };
  });
}

export function serviceStatus({ plan, clusterIPs, slices }: ResolvedService): ServiceStatus {
  const primary: IpFamily = familyOf(clusterIPs[0] ?? "") === 6 ? 6 : (plan.families[0] ?? 4);
  return {
    namespace: plan.namespace,
    name: plan.name,
    clusterIP: plan.kind === "Headless" ? "None" : (clusterIPs[0] ?? ""),
    clusterIPs,
    ports: plan.ports.map(({ name, port, transport, targetPort }) => ({ name, port, protocol: transport, targetPort })),
    endpoints: slices
      .filter(({ family }) => family === primary)
      .flatMap(({ ports, endpoints }) =>
        endpoints
          .filter(({ ready }) => ready)
          .map(({ addresses, node, pod }) => ({
            address: addresses[0] ?? "",
            ports: ports.map(({ name, port }) => ({ name, port })),
            node: node || null,
            pod: pod ?? null,
          })),
      ),
  };
}
