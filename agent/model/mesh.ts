import type { AuthorizationPolicy } from "./authorization-policy.ts";
import type { BackendTrafficPolicy } from "./backend-traffic-policy.ts";
import type { EndpointSlice } from "./endpoint.ts";
import type { HttpRoute } from "./http-route.ts";
import type { Namespace } from "./namespace.ts";
import type { Node } from "./node.ts";
import type { PeerAuthentication } from "./peer-authentication.ts";
import type { Problem } from "./problem.ts";
import type { RequestAuthentication } from "./request-authentication.ts";
import type { Service } from "./service.ts";
import type { Workload } from "./workload.ts";

/** Everything a source knows at one moment. Lists are sorted by namespace and name, so that order of input does not matter. */
export interface Mesh {
  readonly namespaces: readonly Namespace[];
  /** Empty where the source has no Node objects. */
  readonly nodes: readonly Node[];
  readonly workloads: readonly Workload[];
  readonly services: readonly Service[];
  readonly endpointSlices: readonly EndpointSlice[];
  readonly httpRoutes: readonly HttpRoute[];
  readonly authorizationPolicies: readonly AuthorizationPolicy[];
  readonly requestAuthentications: readonly RequestAuthentication[];
  readonly peerAuthentications: readonly PeerAuthentication[];
  readonly backendTrafficPolicies: readonly BackendTrafficPolicy[];
  readonly problems: readonly Problem[];
}
