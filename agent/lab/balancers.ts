import type { BalancedService } from "./balanced-services.ts";
import type { NodePlace } from "./node-place.ts";

/** What brings un-enrolled traffic from clusterIPs to endpoints, on every node: the lab's kube-proxy. */
export interface Balancers {
  set(services: readonly BalancedService[]): void;
  close(): void;
}

export async function openBalancers(_nodes: readonly NodePlace[]): Promise<Balancers> {
  return { set: () => undefined, close: () => undefined };
}
