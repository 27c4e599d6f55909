import { familyOf, type IpFamily } from "../../lib/ip-address.ts";
import type { Service } from "../../model/service.ts";

/**
 * `1.2.3.4:80` or `[fd00::1]:80`, as Envoy prints an address. Everything that Envoy finds by original destination has
 * this key.
 */
export function hostPort(address: string, port: number): string {
  return familyOf(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

export function serviceHost(namespace: string, name: string): string {
  return `${name}.${namespace}.svc.cluster.local`;
}

/** Istio's name for the cluster, with `ipv6` in place of the subset for IPv6. */
export function clusterName(service: Service, port: number, family: IpFamily): string {
  const host = serviceHost(service.meta.namespace, service.meta.name);
  return `outbound|${port}|${family === 6 ? "ipv6" : ""}|${host}`;
}

/**
 * Endpoints of the same port for bytes that are not HTTP: they pass `local_guard` where a policy decides about
 * connections.
 */
export function tcpEndpointsName(cluster: string): string {
  return `tcp|${cluster}`;
}

/** The cluster for other bytes than HTTP to `address:port`. The cluster for HTTP has the plain address as its name. */
export function tcpDestinationName(address: string, port: number): string {
  return `tcp|${hostPort(address, port)}`;
}

/**
 * Statistics of all clusters of pods that were dialled by their own address are under this name: statistics for each would
 * cost memory.
 */
export const DIRECT = "direct";

/** Envoy clusters that every node has. */
export const CLUSTERS = {
  /** Delivers inside a pod's network namespace, to the connection's original destination. */
  deliver: "deliver",
  /** Has no endpoints: Envoy refuses connections to it. */
  blocked: "blocked",
  /**
   * Routes name this cluster, and no cluster has the name: Envoy then answers 500, which Gateway API asks for with an
   * invalid backend.
   */
  invalidBackend: "invalid-backend",
} as const;

/** Internal listeners: they lead to endpoints on this node. */
export const INTERNAL_LISTENERS = {
  /** Opens the socket to the application. The destination's policy has been applied before. */
  deliver: "local_deliver",
  /** Applies policy to TCP connections, then delivers. */
  guard: "local_guard",
  /**
   * Applies the destination's own inbound policy to requests, then delivers. For Services whose endpoints have
   * different policies.
   */
  inbound: "local_inbound",
  /** Looks for HTTP first, and then does as `local_inbound` does, or as `local_guard`. */
  detect: "local_detect",
} as const;

/** The cluster from a pod's inbound listener to `local_guard`. `uid`: of the pod. */
export function guardCluster(uid: string): string {
  return `guard|${uid}`;
}

export const ROUTES = { outbound: "outbound", inbound: "inbound" } as const;

/** Envoy sets it to the original destination; it selects the virtual host, and never leaves the proxy. */
export const ORIGINAL_DST_HEADER = "x-ambit-original-dst";

/** The listener sets it to the caller's peer string; it never leaves the proxy. */
export const SOURCE_HEADER = "x-ambit-source";

/** The listener sets it to the called pod's peer string, inbound; it never leaves the proxy. */
export const DESTINATION_HEADER = "x-ambit-destination";

/** The built-in filters: the name of each one's ECDS resource, and its root id in the module. */
export const FILTERS = {
  /** For calls that go to the dialled address. */
  outbound: { resource: "ambit-outbound", rootId: "outbound" },
  /** For calls that match HTTPRoutes. The listener has both outbound filters, and each virtual host disables one. */
  outboundRouted: { resource: "ambit-outbound-routed", rootId: "outbound-routed" },
  inbound: { resource: "ambit-inbound", rootId: "inbound" },
  outboundTcp: { resource: "ambit-outbound-tcp", rootId: "outbound-tcp" },
  /** At callers without a certificate that use HTTP. */
  firstByte: { resource: "ambit-first-byte", rootId: "first-byte" },
  inboundTcp: { resource: "ambit-inbound-tcp", rootId: "inbound-tcp" },
  /** In `local_guard`, which every node has once: its configuration holds what all places of the module share. */
  guard: { resource: "ambit-guard", rootId: "guard" },
} as const;
