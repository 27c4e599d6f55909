import { familyOf, type IpFamily } from "../../lib/ip-address.ts";
import type { Service } from "../../model/service.ts";

/** `1.2.3.4:80` or `[fd00::1]:80`: how Envoy prints an address, and so the key of everything found by original destination. */
export function hostPort(address: string, port: number): string {
  return familyOf(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

export function serviceHost(namespace: string, name: string): string {
  return `${name}.${namespace}.svc.cluster.local`;
}

/** Istio's spelling, with the address family in the place of the subset where it is not IPv4. */
export function clusterName(service: Service, port: number, family: IpFamily): string {
  const host = serviceHost(service.meta.namespace, service.meta.name);
  return `outbound|${port}|${family === 6 ? "ipv6" : ""}|${host}`;
}

/** The endpoints of the same port where the bytes are not HTTP: without those that an HTTP-only policy guards. */
export function tcpEndpointsName(cluster: string): string {
  return `tcp|${cluster}`;
}

/** The cluster for what was dialled at `address:port` and is not HTTP; what is HTTP goes to one named like the address. */
export function tcpDestinationName(address: string, port: number): string {
  return `tcp|${hostPort(address, port)}`;
}

/** Envoy clusters that every node has. */
export const CLUSTERS = {
  /** Delivers inside a pod's network namespace, to the address that the connection bears. */
  deliver: "deliver",
  /** Has no endpoints: what is sent there is refused. */
  blocked: "blocked",
  /** Named by routes and never defined, so that Envoy answers 500 as Gateway API asks for an invalid backend. */
  invalidBackend: "invalid-backend",
} as const;

/** Internal listeners: where an endpoint on this node is reached. */
export const INTERNAL_LISTENERS = {
  /** Opens the socket to the application. The policy of the destination has been applied before. */
  deliver: "local_deliver",
  /** Decides about TCP connections first, where policies guard the pod. */
  guard: "local_guard",
  /** Applies the destination's own inbound policy first: for services whose endpoints are not all guarded alike. */
  inbound: "local_inbound",
} as const;

/** Leads what has arrived at a pod to `local_guard`. */
export function guardCluster(uid: string): string {
  return `guard|${uid}`;
}

export const ROUTES = { outbound: "outbound", inbound: "inbound" } as const;

/** Set by Envoy from the original destination, picks the virtual host, never leaves the proxy. */
export const ORIGINAL_DST_HEADER = "x-ambit-original-dst";

/** The peer string of the pod whose listener a call came through, set by that listener; never leaves the proxy. */
export const SOURCE_HEADER = "x-ambit-source";

/** The peer string of the pod that is called, inbound; never leaves the proxy. */
export const DESTINATION_HEADER = "x-ambit-destination";

/** Names under which the built-in filters are delivered (ECDS), and their root ids. */
export const FILTERS = {
  /** Calls that go where they were dialled. */
  outbound: { resource: "ambit-outbound", rootId: "outbound" },
  /** Calls that HTTPRoutes say something about; in a listener beside the other, and route tables leave one of them out. */
  outboundRouted: { resource: "ambit-outbound-routed", rootId: "outbound-routed" },
  inbound: { resource: "ambit-inbound", rootId: "inbound" },
  outboundTcp: { resource: "ambit-outbound-tcp", rootId: "outbound-tcp" },
  inboundTcp: { resource: "ambit-inbound-tcp", rootId: "inbound-tcp" },
  /** In `local_guard`, which is there once: it is told what all places of the module share. */
  guard: { resource: "ambit-guard", rootId: "guard" },
} as const;
