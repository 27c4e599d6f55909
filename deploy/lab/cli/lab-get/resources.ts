/** A kind that `ambit lab get` knows, by all the names that kubectl has for it. */
export interface ResourceKind {
  readonly kind: string;
  readonly group: string;
  readonly names: readonly string[];
  readonly namespaced: boolean;
}

const core = (kind: string, names: readonly string[], namespaced = true): ResourceKind => ({
  ...{ kind, group: "", names, namespaced },
});
const of = (group: string, kind: string, ...names: readonly string[]): ResourceKind => ({
  ...{ kind, group, names, namespaced: true },
});

export const RESOURCES: readonly ResourceKind[] = [
  core("Pod", ["pods", "pod", "po"]),
  core("Service", ["services", "service", "svc"]),
  of("discovery.k8s.io", "EndpointSlice", "endpointslices", "endpointslice", "endpoints", "ep"),
  of("apps", "Deployment", "deployments", "deployment", "deploy"),
  of("apps", "StatefulSet", "statefulsets", "statefulset", "sts"),
  of("batch", "Job", "jobs", "job"),
  core("ConfigMap", ["configmaps", "configmap", "cm"]),
  core("Secret", ["secrets", "secret"]),
  core("Node", ["nodes", "node", "no"], false),
  core("Namespace", ["namespaces", "namespace", "ns"], false),
  of("gateway.networking.k8s.io", "HTTPRoute", "httproutes", "httproute"),
  of("security.istio.io", "AuthorizationPolicy", "authorizationpolicies", "authorizationpolicy", "ap"),
  of("security.istio.io", "RequestAuthentication", "requestauthentications", "requestauthentication", "ra"),
];

export function resourceNamed(name: string): ResourceKind | undefined {
  return RESOURCES.find(({ names }) => names.includes(name.toLowerCase()));
}
