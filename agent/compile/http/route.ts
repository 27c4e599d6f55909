import { MetadataSchema } from "../../xds/gen/envoy/config/core/v3/base_pb.ts";
import {
  RouteAction_ClusterNotFoundResponseCode as NotFoundCode,
  RouteActionSchema,
  RouteSchema,
  WeightedCluster_ClusterWeightSchema,
  WeightedClusterSchema,
  type Route,
  type RouteAction,
} from "../../xds/gen/envoy/config/route/v3/route_components_pb.ts";
import { create, milliseconds } from "../../xds/proto.ts";
import type { BackendRef } from "../../model/http-route.ts";
import { namespacedName } from "../../model/meta.ts";
import type { ServiceTarget } from "../view/destinations.ts";
import { CLUSTERS, clusterName } from "../view/names.ts";
import type { NodeView } from "../view/node-view.ts";
import type { RankedMatch } from "./route-precedence.ts";
import { headerModifiers } from "./header-modifier.ts";
import { retryMetadata, retryPolicy } from "./retry.ts";
import { routeMatch } from "./route-match.ts";

/** Leads every request to one cluster, without a time limit, as without a mesh. */
export function plainRoute(cluster: string): Route {
  return create(RouteSchema, {
    match: { pathSpecifier: { case: "prefix", value: "/" } },
    action: { case: "route", value: action({ case: "cluster", value: cluster }) },
  });
}

/**
 * The last route of a virtual host with HTTPRoutes: a request that no rule matches gets 404 (Gateway API). It must be a
 * route: a request without a route has no virtual host either, and would pass both outbound filters.
 */
export function notFound(): Route {
  return create(RouteSchema, {
    match: { pathSpecifier: { case: "prefix", value: "" } },
    action: { case: "directResponse", value: { status: 404 } },
  });
}

/** Leads every request to the cluster that a header names. */
export function routeByHeader(header: string): Route {
  return create(RouteSchema, {
    match: { pathSpecifier: { case: "prefix", value: "/" } },
    action: {
      case: "route",
      value: create(RouteActionSchema, {
        clusterSpecifier: { case: "clusterHeader", value: header },
        timeout: milliseconds(0),
      }),
    },
  });
}

/** One match of an HTTPRoute, for callers of `target`. */
export function httpRouteEntry({ route, rule, match }: RankedMatch, target: ServiceTarget, view: NodeView): Route {
  const name = `${namespacedName(route.meta.namespace, route.meta.name)}${rule.name === "" ? "" : `/${rule.name}`}`;
  const backends = rule.backends.filter((backend) => backend.weight > 0);
  if (backends.every((backend) => backend.invalid)) {
    return create(RouteSchema, {
      name,
      match: routeMatch(match),
      action: { case: "directResponse", value: { status: 500 } },
    });
  }
  const parent = namespacedName(target.service.meta.namespace, target.service.meta.name);
  const policy = retryPolicy(rule.retry, rule.backendTimeoutMs);
  return create(RouteSchema, {
    name,
    match: routeMatch(match),
    ...headerModifiers(rule.filters),
    ...(rule.retry === undefined
      ? {}
      : {
          metadata: create(MetadataSchema, {
            filterMetadata: { ambit: { retry: retryMetadata(parent, rule.retry) } },
          }),
        }),
    action: {
      case: "route",
      value: create(RouteActionSchema, {
        ...action(clusters(backends, target, view)),
        timeout: milliseconds(rule.requestTimeoutMs ?? rule.backendTimeoutMs ?? 0),
        ...(policy === undefined ? {} : { retryPolicy: policy }),
      }),
    },
  });
}

/** What all routes to clusters have, as fields for `create`: a finished message would not take further ones. */
function action(clusterSpecifier: RouteAction["clusterSpecifier"]) {
  return {
    clusterSpecifier,
    timeout: milliseconds(0),
    clusterNotFoundResponseCode: NotFoundCode.INTERNAL_SERVER_ERROR,
  };
}

function clusters(
  backends: readonly BackendRef[],
  target: ServiceTarget,
  view: NodeView,
): RouteAction["clusterSpecifier"] {
  return {
    case: "weightedClusters",
    value: create(WeightedClusterSchema, {
      clusters: backends.map((backend) =>
        create(WeightedCluster_ClusterWeightSchema, {
          name: backendCluster(backend, target, view),
          weight: backend.weight,
          ...headerModifiers(backend.filters),
        }),
      ),
    }),
  };
}

function backendCluster(backend: BackendRef, target: ServiceTarget, view: NodeView): string {
  const service = view.servicesByName.get(namespacedName(backend.namespace, backend.service));
  if (backend.invalid || service === undefined) return CLUSTERS.invalidBackend;
  return clusterName(service, backend.port, target.family);
}
