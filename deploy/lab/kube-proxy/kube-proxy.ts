import { familyOf } from "../../../agent/lib/ip-address.ts";
import type { ResolvedService } from "../services/resolve-services.ts";
import { openServiceLb, type LoadBalancedPort } from "./service-lb.ts";

/** The lab's kube-proxy: on every node it takes connections of pods outside the mesh from clusterIPs to endpoints. */
export interface KubeProxy {
  setServices(services: readonly ResolvedService[]): void;
  close(): void;
}

/**
 * `cgroups`: one for each node, with the node's processes below it. The programs stay attached until `close`, or until this
 * process ends. Throws where the kernel refuses the programs.
 */
export function openKubeProxy(cgroups: readonly string[]): KubeProxy {
  const open = cgroups.map((cgroup) => openServiceLb({ cgroup }));
  return {
    setServices(services) {
      const ports = services.flatMap(loadBalancedPorts);
      for (const node of open) node.setServices(ports);
    },
    close() {
      for (const node of open) node.close();
    },
  };
}

function loadBalancedPorts({ plan, clusterIPs, slices }: ResolvedService): readonly LoadBalancedPort[] {
  return clusterIPs.flatMap((address) =>
    plan.ports
      .filter(({ transport }) => transport !== "SCTP")
      .map(({ name, port, transport }) => ({
        address,
        port,
        protocol: transport === "UDP" ? ("udp" as const) : ("tcp" as const),
        backends: slices
          .filter(({ family }) => family === familyOf(address))
          .flatMap((slice) => {
            const target = slice.ports.find((each) => each.name === name && each.transport === transport);
            if (target === undefined) return [];
            return slice.endpoints
              .filter(({ ready }) => ready)
              .flatMap(({ addresses }) => addresses.map((each) => ({ address: each, port: target.port })));
          }),
      })),
  );
}
