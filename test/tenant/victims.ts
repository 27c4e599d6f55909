// What other tenants than mallory have: the calls, policies and metrics of these must never change.

type Json = Readonly<Record<string, unknown>>;

const AGE = "2026-01-01T00:00:00Z";

export interface VictimPod {
  readonly namespace: string;
  readonly name: string;
  readonly node: "node-1" | "node-2";
  readonly addresses: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** Pods of others. `plain` is not enrolled; all others are. */
export const VICTIM_PODS: readonly VictimPod[] = [
  pod("shop", "web-1", "node-1", ["10.244.1.10", "fd00:1::10"], { app: "web" }),
  pod("shop", "web-2", "node-2", ["10.244.2.10"], { app: "web" }),
  pod("shop", "db", "node-1", ["10.244.1.11"], { app: "db" }),
  pod("shop", "far-db", "node-2", ["10.244.2.11"], { app: "far-db" }),
  pod("shop", "client", "node-1", ["10.244.1.12"], { app: "client" }),
  pod("bank", "ledger", "node-1", ["10.244.1.13"], { app: "ledger" }),
  pod("bank", "teller", "node-2", ["10.244.2.13"], { app: "teller" }),
  pod("plain", "legacy", "node-1", ["10.244.1.14"], { app: "legacy" }),
];

/** Virtual addresses of others. */
export const VICTIM_SERVICE_IPS: readonly string[] = ["10.96.0.10", "fd00:96::10", "10.96.0.11", "10.96.0.12"];
export const VICTIM_SERVICES: readonly string[] = ["web", "db", "peers", "ledger"];
/** Of the nodes themselves, and of a server outside the cluster that the victims call. */
export const NODE_ADDRESSES: readonly string[] = ["192.0.2.1", "192.0.2.2"];
export const OUTSIDE_ADDRESSES: readonly string[] = ["198.51.100.7", "203.0.113.9"];
/** Ports that the victims' pods and Services have, and some that nobody has. */
export const PORTS: readonly number[] = [80, 443, 5432, 8080, 9000, 15006, 65_535];

/** Objects of everybody but mallory. */
export const VICTIM_OBJECTS: readonly Json[] = [
  namespace("shop", { "ambit.dev/dataplane-mode": "ambient" }),
  namespace("bank", { "ambit.dev/dataplane-mode": "ambient" }),
  namespace("plain", {}),
  namespace("istio-system", {}),
  ...NODE_ADDRESSES.map(nodeObject),
  ...VICTIM_PODS.map(podObject),
  ...NODE_ADDRESSES.map(nodePod),
  service("shop", "web", {
    clusterIPs: ["10.96.0.10", "fd00:96::10"],
    selector: { app: "web" },
    ports: [
      { name: "http", port: 80, targetPort: 8080 },
      { name: "tcp-admin", port: 9000 },
    ],
  }),
  service("shop", "db", { clusterIP: "10.96.0.11", selector: { app: "db" }, ports: [{ name: "tcp", port: 5432 }] }),
  service("shop", "peers", {
    clusterIP: "None",
    selector: { app: "web" },
    ports: [{ name: "http", port: 8080 }],
  }),
  service("bank", "ledger", {
    clusterIP: "10.96.0.12",
    selector: { app: "ledger" },
    ports: [{ name: "http", port: 80, targetPort: 8080 }],
  }),
  object("security.istio.io/v1", "PeerAuthentication", "shop", "strict", {
    selector: { matchLabels: { app: "web" } },
    mtls: { mode: "STRICT" },
  }),
  object("security.istio.io/v1", "AuthorizationPolicy", "shop", "readers", {
    selector: { matchLabels: { app: "web" } },
    action: "ALLOW",
    rules: [
      {
        from: [{ source: { namespaces: ["shop", "bank"] } }],
        to: [{ operation: { methods: ["GET"], paths: ["/items*"] } }],
      },
    ],
  }),
  object("security.istio.io/v1", "AuthorizationPolicy", "shop", "no-admin", {
    selector: { matchLabels: { app: "web" } },
    action: "DENY",
    rules: [{ to: [{ operation: { paths: ["/items/admin*"] } }] }],
  }),
  object("security.istio.io/v1", "AuthorizationPolicy", "shop", "db-callers", {
    selector: { matchLabels: { app: "db" } },
    action: "ALLOW",
    rules: [{ from: [{ source: { principals: ["cluster.local/ns/shop/sa/client"] } }] }],
  }),
  object("security.istio.io/v1", "RequestAuthentication", "bank", "customers", {
    selector: { matchLabels: { app: "ledger" } },
    jwtRules: [
      {
        issuer: "https://issuer.example",
        jwks: '{"keys":[{"kty":"EC","x":"SDNrAeKspE5uMUIOZclpremLhLr5kUn_U4ajiSVB6oc","y":"GF5VrTaZm8GwTZa7HFcPP2IBT7qJYFv0KtnUtu59xYw","crv":"P-256","kid":"key-1","alg":"ES256","use":"sig"}]}',
      },
    ],
  }),
  object("gateway.networking.k8s.io/v1", "HTTPRoute", "shop", "web", {
    parentRefs: [{ group: "", kind: "Service", name: "web", port: 80 }],
    rules: [
      {
        matches: [{ path: { type: "RegularExpression", value: "/v[0-9]+/.*" } }],
        retry: { codes: [503], attempts: 2 },
        backendRefs: [{ name: "web", port: 80 }],
      },
      { backendRefs: [{ name: "web", port: 80 }] },
    ],
  }),
  object("gateway.networking.x-k8s.io/v1alpha1", "XBackendTrafficPolicy", "shop", "web", {
    targetRefs: [{ group: "", kind: "Service", name: "web" }],
    retryConstraint: { budget: { percent: 50, interval: "5s" }, minRetryRate: { count: 3, interval: "1s" } },
  }),
  object("gateway.networking.k8s.io/v1", "ReferenceGrant", "bank", "routes", {
    from: [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute", namespace: "mallory" }],
    to: [{ group: "", kind: "Service", name: "ledger" }],
  }),
];

function pod(
  ns: string,
  name: string,
  node: VictimPod["node"],
  addresses: readonly string[],
  labels: VictimPod["labels"],
): VictimPod {
  return { namespace: ns, name, node, addresses, labels };
}

function podObject({ namespace: ns, name, node, addresses, labels }: VictimPod): Json {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: ns, uid: `uid-${name}`, labels, creationTimestamp: AGE },
    spec: {
      nodeName: node,
      serviceAccountName: name,
      containers: [{ name: "app", image: "app", ports: [{ name: "main", containerPort: 8080 }] }],
    },
    status: { phase: "Running", podIPs: addresses.map((ip) => ({ ip })) },
  };
}

/** A pod on its node's network. */
function nodePod(address: string, index: number): Json {
  const node = index === 0 ? "node-1" : "node-2";
  const written = podObject(pod("plain", `proxy-${index}`, node, [address], {}));
  return { ...written, spec: { nodeName: node, hostNetwork: true, containers: [{ name: "app", image: "app" }] } };
}

function namespace(name: string, labels: Json): Json {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } };
}

function service(ns: string, name: string, spec: Json): Json {
  return object("v1", "Service", ns, name, spec);
}

function object(apiVersion: string, kind: string, ns: string, name: string, spec: Json): Json {
  return { apiVersion, kind, metadata: { name, namespace: ns, creationTimestamp: AGE }, spec };
}

function nodeObject(address: string, index: number): Json {
  const status = { addresses: [{ type: "InternalIP", address }] };
  return { apiVersion: "v1", kind: "Node", metadata: { name: `node-${index + 1}` }, status };
}
