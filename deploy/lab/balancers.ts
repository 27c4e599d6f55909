import { openServiceLb } from "./kube-proxy/service-lb.ts";
import type { BalancedService } from "./balanced-services.ts";
import type { NodePlace } from "./node-place.ts";

/** What brings un-enrolled traffic from clusterIPs to endpoints, on every node: the lab's kube-proxy. */
export interface Balancers {
  set(services: readonly BalancedService[]): void;
  close(): void;
}

/** It ends with the process that opened it. Throws where the kernel does not take the programs. */
export function openBalancers(nodes: readonly NodePlace[]): Balancers {
  const open = nodes.map(({ cgroups }) => openServiceLb({ cgroup: cgroups.node }));
  return {
    set(services) {
      for (const balancer of open) balancer.setServices(services);
    },
    close() {
      for (const balancer of open) balancer.close();
    },
  };
}
