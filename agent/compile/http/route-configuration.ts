import { RouteConfigurationSchema, type RouteConfiguration } from "../../xds/gen/envoy/config/route/v3/route_pb.ts";
import {
  FilterConfigSchema,
  VirtualHostSchema,
  type VirtualHost,
} from "../../xds/gen/envoy/config/route/v3/route_components_pb.ts";
import { any, create } from "../../xds/proto.ts";
import type { HttpRoute } from "../../model/http-route.ts";
import type { Destination } from "../view/destinations.ts";
import {
  CLUSTERS,
  DESTINATION_HEADER,
  FILTERS,
  hostPort,
  ORIGINAL_DST_HEADER,
  ROUTES,
  SOURCE_HEADER,
} from "../view/names.ts";
import type { NodeView } from "../view/node-view.ts";
import { rankMatches } from "./route-precedence.ts";
import { httpRouteEntry, notFound, plainRoute, routeByHeader } from "./route.ts";

/**
 * The outbound route table of the node, with a virtual host for each `address:port` that HTTPRoutes apply to. All other
 * requests go to the cluster with the name of the dialled address.
 */
export function outboundRoutes(view: NodeView, destinations: readonly Destination[]): RouteConfiguration {
  return create(RouteConfigurationSchema, {
    ...common(ROUTES.outbound),
    // By original destination, never by the Host header: a caller's claim must choose neither Service nor policy.
    vhostHeader: ORIGINAL_DST_HEADER,
    virtualHosts: [
      ...destinations.flatMap((destination) => virtualHost(destination, view)),
      create(VirtualHostSchema, {
        name: "by-destination",
        domains: ["*"],
        routes: [routeByHeader(ORIGINAL_DST_HEADER)],
        ...without(FILTERS.outboundRouted.resource),
      }),
    ],
  });
}

/** Inbound requests go to the dialled port of the dialled pod. */
export function inboundRoutes(): RouteConfiguration {
  return create(RouteConfigurationSchema, {
    ...common(ROUTES.inbound),
    virtualHosts: [{ name: CLUSTERS.deliver, domains: ["*"], routes: [plainRoute(CLUSTERS.deliver)] }],
  });
}

function common(name: string) {
  return { name, requestHeadersToRemove: [ORIGINAL_DST_HEADER, SOURCE_HEADER, DESTINATION_HEADER] };
}

/**
 * Disables one of the two outbound filters for a virtual host. `outbound` treats the dialled address as the cluster;
 * `outboundRouted` asks which cluster the route chose. Since the virtual host chooses the filter, the routes and the
 * basis of the policy's decision change in one step.
 */
function without(filter: string) {
  return { typedPerFilterConfig: { [filter]: any(FilterConfigSchema, { disabled: true }) } };
}

function virtualHost(destination: Destination, view: NodeView): readonly VirtualHost[] {
  const { address, port, mode, target, backend } = destination;
  const routes = mode === "tcp" || backend !== undefined ? [] : routesOf(destination, view);
  if (routes.length === 0) return [];
  const domain = hostPort(address, port);
  return [
    create(VirtualHostSchema, {
      name: `${target.host}:${target.port.port}|${domain}`,
      domains: [domain],
      routes: [...rankMatches(routes).map((match) => httpRouteEntry(match, target, view)), notFound()],
      ...without(FILTERS.outbound.resource),
    }),
  ];
}

/** HTTPRoutes whose parent is the dialled Service. */
function routesOf({ target }: Destination, view: NodeView): readonly HttpRoute[] {
  const { name, namespace } = target.service.meta;
  return view.mesh.httpRoutes.filter((route) =>
    route.parents.some(
      (parent) =>
        parent.namespace === namespace &&
        parent.service === name &&
        (parent.port === undefined || parent.port === target.port.port),
    ),
  );
}
