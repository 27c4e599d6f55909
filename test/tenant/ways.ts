import type { NodeConfig } from "../../agent/compile/compile.ts";
import { hostPort, INTERNAL_LISTENERS } from "../../agent/compile/view/names.ts";
import { toPrintable } from "../../agent/xds/registry.ts";
import { VICTIM_PODS } from "./victims.ts";

/** Ports where their own namespaces say that the victims speak HTTP. */
const HTTP_PORT = 8080;
const HTTP_APPS = ["web", "ledger"];
/** Here the destination's own filters read what comes. */
const READ: readonly string[] = [INTERNAL_LISTENERS.inbound, INTERNAL_LISTENERS.detect];

/** By `address:port`: a victim's pod, and whether it speaks HTTP there. */
const ENDPOINTS = new Map(
  VICTIM_PODS.filter(({ namespace }) => namespace !== "plain").flatMap((pod) =>
    pod.addresses.flatMap((address) =>
      [80, 443, 5432, HTTP_PORT, 9000, 15006, 65_535].map((port) => {
        const isHttp = port === HTTP_PORT && HTTP_APPS.includes(pod.labels["app"] ?? "");
        return [hostPort(address, port), { pod, isHttp }] as const;
      }),
    ),
  ),
);

interface Printed {
  readonly endpoints?: readonly { readonly lb_endpoints?: readonly PrintedEndpoint[] }[];
}

interface PrintedEndpoint {
  readonly endpoint: {
    readonly address: {
      readonly socket_address?: { readonly address: string; readonly port_value: number };
      readonly envoy_internal_address?: { readonly server_listener_name: string };
    };
  };
  readonly metadata?: { readonly filter_metadata?: Readonly<Record<string, Readonly<Record<string, unknown>>>> };
}

/**
 * The tenant's Services may lead to pods of others. Whoever calls them gets there as if he had dialled the pod: in its own network
 * namespace, by mTLS, and through its filters.
 */
export function wayFindings({ xds: before }: NodeConfig, { xds: after }: NodeConfig): readonly string[] {
  return [...after.endpoints.keys()].flatMap((name) => {
    if (before.endpoints.has(name)) return [];
    const message = after.endpoints.get(name);
    if (message === undefined) return [];
    const { endpoints = [] } = toPrintable(message) as unknown as Printed;
    return endpoints
      .flatMap(({ lb_endpoints: list = [] }) => list)
      .flatMap((endpoint) => wrongWay(endpoint, name.startsWith("tcp|")).map((what) => `${name}: ${what}`));
  });
}

function wrongWay({ endpoint: { address }, metadata }: PrintedEndpoint, bytes: boolean): readonly string[] {
  const about = metadata?.filter_metadata ?? {};
  const { socket_address: socket, envoy_internal_address: internal } = address;
  if (socket !== undefined) {
    const place = hostPort(socket.address, socket.port_value);
    const isGuarded = ENDPOINTS.has(place) && about["envoy.transport_socket_match"] === undefined;
    return isGuarded ? [`plaintext to ${place}`] : [];
  }
  const place = String(about["envoy.filters.listener.original_dst"]?.["local"]);
  const found = ENDPOINTS.get(place);
  if (found === undefined || internal === undefined) return [];
  const netns = about["ambit"]?.["netns"];
  return [
    ...(netns === `/run/netns/${found.pod.name}` ? [] : [`${place} is delivered in ${String(netns)}`]),
    ...(bytes && found.isHttp && !READ.includes(internal.server_listener_name)
      ? [`bytes to ${place} pass its filters by`]
      : []),
  ];
}
