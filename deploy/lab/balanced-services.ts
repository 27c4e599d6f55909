import { familyOf } from "../../agent/objects/addresses.ts";
import type { ResolvedService } from "./publisher.ts";

/** A clusterIP's port and where connections to it go: kube-proxy's view of a Service. */
export interface BalancedService {
  readonly address: string;
  readonly port: number;
  readonly protocol: "tcp" | "udp";
  readonly backends: readonly { readonly address: string; readonly port: number }[];
}

export function balancedServices(services: readonly ResolvedService[]): readonly BalancedService[] {
  return services.flatMap(({ plan, clusterIPs, slices }) =>
    clusterIPs.flatMap((address) =>
      plan.ports
        .filter(({ protocol }) => protocol !== "SCTP")
        .map(({ name, port, protocol }) => ({
          address,
          port,
          protocol: protocol === "UDP" ? ("udp" as const) : ("tcp" as const),
          backends: slices
            .filter(({ family }) => family === familyOf(address))
            .flatMap((slice) => {
              const target = slice.ports.find((each) => each.name === name && each.protocol === protocol);
              if (target === undefined) return [];
              return slice.endpoints
                .filter(({ ready }) => ready)
                .flatMap(({ addresses }) => addresses.map((each) => ({ address: each, port: target.port })));
            }),
        })),
    ),
  );
}
