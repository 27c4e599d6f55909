import type { ObjectMeta } from "./meta.ts";

/** The protocol that Ambit expects at a port; "detect" looks at the first bytes of each connection. */
export type Protocol = "http" | "http2" | "grpc" | "tcp" | "detect";

export interface ServicePort {
  /** "" for the only port of a Service. */
  readonly name: string;
  readonly port: number;
  /** The container's port: a number, or the name of a container port. */
  readonly targetPort: number | string;
  readonly protocol: Protocol;
}

/** A Service with its TCP ports. The mesh leaves UDP and SCTP ports alone. */
export interface Service {
  readonly meta: ObjectMeta;
  /** Virtual addresses in canonical text form; empty for a headless Service. */
  readonly clusterIPs: readonly string[];
  /** Further addresses at which the whole cluster calls it: externalIPs, and those of its load balancer. */
  readonly externalAddresses: readonly string[];
  readonly headless: boolean;
  readonly ports: readonly ServicePort[];
}
