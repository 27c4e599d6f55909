import type { Mesh } from "../model/mesh.ts";
import type { XdsSnapshot } from "../xds/snapshot.ts";
import { captureState } from "./kernel/capture-state.ts";
import type { CaptureState } from "../model/capture-state.ts";
import { tcpProblems } from "./problems/tcp-problems.ts";
import { destinations, serviceTargets } from "./view/destinations.ts";
import { buildFilterConfig } from "./filters/build-filter-config.ts";
import type { FilterConfig } from "./filters/filter-config.ts";
import { PartCheck } from "./filters/part-check.ts";
import { knownPeers } from "./filters/peers.ts";
import { policySets } from "./filters/policy-sets.ts";
import { retryBudgets } from "./filters/retry-budget.ts";
import { jwksProblems } from "./problems/jwks-problems.ts";
import { nodeView } from "./view/node-view.ts";
import type { CompileOptions } from "./view/options.ts";
import { podPorts } from "./view/pod-ports.ts";
import type { CompileSession } from "./session.ts";
import { guardClusters } from "./clusters/cluster.ts";
import { endpointMakers } from "./clusters/endpoints.ts";
import { limitFetchedKeys } from "./limits/key-limits.ts";
import { limitServices } from "./limits/service-limits.ts";
import { filterExtensions } from "./filters/filter-extensions.ts";
import { connectionLimits, DEFAULT_POD_CONNECTIONS } from "./listeners/connection-limits.ts";
import { internalListeners } from "./listeners/internal-listeners.ts";
import { onDemandClusters, onDemandEndpoints } from "./clusters/on-demand.ts";
import { podListeners } from "./listeners/pod-listeners.ts";
import { nodeMtls } from "./mtls/node-mtls.ts";
import { secrets } from "./mtls/secrets.ts";
import { inboundRoutes, outboundRoutes } from "./http/route-configuration.ts";
import type { Problem } from "../model/problem.ts";

/** The configuration of one node: for its Envoy, its kernel and the filters. */
export interface NodeConfig {
  readonly xds: XdsSnapshot;
  readonly capture: CaptureState;
  readonly filters: FilterConfig;
  /** Problems that the mesh's source found, and those that show only in the whole mesh. */
  readonly problems: readonly Problem[];
}

/**
 * Computes the configuration of one node. Pure, except that `session` remembers earlier results: the same mesh and options
 * give the same configuration, in whatever order their lists are.
 */
export function compile(whole: Mesh, options: CompileOptions, session: CompileSession): NodeConfig {
  const { mesh: withoutServices, refused, problems } = limitServices(whole, options.limits);
  const { mesh, problems: keyProblems } = limitFetchedKeys(withoutServices, options);
  const view = nodeView(mesh, options, session.view);
  const mtls = nodeMtls(mesh, options);
  const targets = serviceTargets(view);
  const dialled = destinations(targets, view);
  const check = new PartCheck(options.checkFilters, session.checks);
  const policies = policySets(view, targets, dialled, options, check);
  const budgets = retryBudgets(view, check);
  const callers = knownPeers(view, options.trustDomain, check);
  const portsOf = podPorts(view, targets);
  const filters = buildFilterConfig(view, targets, dialled, policies, budgets, callers.peers, options, check);

  const { trustDomain } = options;
  const listenersOf = podListeners(options, session.listeners);
  const endpoints = endpointMakers(view, mtls, policies, portsOf, trustDomain, session.endpoints);
  const ofPods = view.localPods.flatMap((pod) => listenersOf(pod, portsOf(pod.workload.uid), mtls.modesOf(pod)));
  const { podConnections = DEFAULT_POD_CONNECTIONS } = options;
  return {
    xds: {
      secrets: secrets(view, options, session.secrets),
      runtime: byName([connectionLimits(ofPods, podConnections, session.limits)]),
      listeners: byName([...internalListeners(options), ...ofPods]),
      clusters: byName([...session.clusters.fixed, ...guardClusters(view.localPods, trustDomain, session.clusters)]),
      onDemandClusters: onDemandClusters(targets, dialled, view, trustDomain, session.clusters),
      endpoints: onDemandEndpoints(targets, dialled, view, endpoints),
      routes: byName([outboundRoutes(view, dialled), inboundRoutes()]),
      extensions: byName(filterExtensions(filters, options.filterModule, session.extensions)),
    },
    capture: captureState(view, mtls, targets, { dialled, refused }, portsOf, options),
    filters,
    problems: [
      ...mesh.problems,
      ...problems,
      ...policies.problems,
      ...budgets.problems,
      ...callers.problems,
      ...check.problems,
      ...keyProblems,
      ...jwksProblems(mesh, options),
      ...tcpProblems(mesh, targets, options),
    ],
  };
}

function byName<T extends { readonly name: string }>(resources: readonly T[]): ReadonlyMap<string, T> {
  return new Map(resources.map((resource) => [resource.name, resource]));
}
