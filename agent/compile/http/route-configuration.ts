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
 * The outbound route table of the node: a virtual host for each `address:port` that HTTPRoutes say something about. All
 * else goes to the cluster named like the address that was dialled.
 */
export function outboundRoutes(view: NodeView, destinations: readonly Destination[]): RouteConfiguration {
  return create(RouteConfigurationSchema, {
    ...common(ROUTES.outbound),
    // By original destination, never by the Host header: what a caller claims chooses neither service nor policy.
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

/** Inbound has one place to go: the port that was dialled, in the pod that it was dialled at. */
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
 * Of the two outbound filters one takes the dialled address for the cluster, and the other asks which cluster the route
 * chose. The virtual host says which one a request has, so that what a policy is decided by changes with the routes at once.
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

/** HTTPRoutes whose parent is the Service that was dialled. */
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
