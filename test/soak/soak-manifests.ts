import { join } from "node:path";

const NODE = process.execPath;

/** Namespace `mesh` is always enrolled; `flip` is enrolled and un-enrolled in turns. */
export type SoakNamespace = "mesh" | "flip";

export function namespace(name: SoakNamespace, enrolled: boolean): unknown {
  const labels = enrolled ? { "ambit.dev/dataplane-mode": "ambient" } : {};
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } };
}

export function client(ns: SoakNamespace, name: string, node: string): unknown {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: ns, labels: { app: name } },
    spec: {
      nodeName: node,
      serviceAccountName: "client",
      containers: [{ name: "app", image: "none", command: ["sleep", "infinity"] }],
    },
  };
}

/** Pods that come and go with `replicas`, on all nodes. */
export function deployment(folder: string, ns: SoakNamespace, name: string, replicas: number): unknown {
  const container = {
    name: "app",
    image: "none",
    command: [NODE, join(folder, "apps/soak-server.mjs")],
    env: [{ name: "NAME", value: name }],
    readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
  };
  const labels = { app: name };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: ns },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  };
}

export function service(ns: SoakNamespace, name: string): unknown {
  const ports = [
    { name: "http", port: 8080 },
    { name: "grpc", port: 8081 },
    { name: "tcp-short", port: 9001 },
    { name: "tcp-echo", port: 9002 },
  ];
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: ns },
    spec: { selector: { app: name }, ports },
  };
}

/** What changes nothing for the calls, and yet has to be taken in: a policy of other pods, a route that leads where calls go anyway. */
export function route(ns: SoakNamespace, name: string, turn: number): unknown {
  const rules = [
    { matches: [{ headers: [{ name: "x-turn", value: String(turn) }] }], backendRefs: [{ name, port: 8080 }] },
    { backendRefs: [{ name, port: 8080 }] },
  ];
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata: { name, namespace: ns },
    spec: { parentRefs: [{ group: "", kind: "Service", name, port: 8080 }], rules },
  };
}

export function policy(ns: SoakNamespace, turn: number): unknown {
  return {
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name: "turn", namespace: ns },
    spec: {
      selector: { matchLabels: { app: "nobody" } },
      rules: [{ from: [{ source: { principals: [`cluster.local/ns/${ns}/sa/turn-${turn}`] } }] }],
    },
  };
}
