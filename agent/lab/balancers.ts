import { openServiceLb } from "../bpf/service-lb.ts";
import type { BalancedService } from "./balanced-services.ts";
import type { NodePlace } from "./node-place.ts";

/** What brings un-enrolled traffic from clusterIPs to endpoints, on every node: the lab's kube-proxy. */
export interface Balancers {
  set(services: readonly BalancedService[]): void;
  close(): void;
}

/** On each node's own cgroup, above its pods': what the mesh captures there never comes so far. */
export function openBalancers(nodes: readonly NodePlace[]): Balancers {
  const balancers = nodes.map(({ cgroups }) => openServiceLb({ cgroup: cgroups.node }));
  return {
    set: (services) => {
      for (const balancer of balancers) balancer.setServices(services);
    },
    close: () => {
      for (const balancer of balancers) balancer.close();
    },
  };
}
