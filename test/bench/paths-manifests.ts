import { join } from "node:path";

const NODE = process.execPath;

/** Roles of pods in each kind of world: who calls, who is called on the same node, and on the other. */
export const ROLES = ["client", "near", "far"] as const;
export type Role = (typeof ROLES)[number];

/** Namespaces of the comparison. Pods of `mesh` are enrolled; those of the sidecar worlds get an Envoy each. */
export const WORLDS = ["plain", "mesh", "sidecar", "sidecarmtls"] as const;
export type World = (typeof WORLDS)[number];

export function manifests(bench: string): readonly unknown[] {
  return WORLDS.flatMap((world) => [
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: world, labels: world === "mesh" ? { "ambit.dev/dataplane-mode": "ambient" } : {} },
    },
    ...ROLES.map((role) => pod(bench, world, role, role)),
    // Policies are for HTTP, so that bytes go to pods that none of them guards.
    pod(bench, world, "near", "near-tcp"),
    pod(bench, world, "far", "far-tcp"),
    ...(["near", "far", "near-tcp", "far-tcp"] as const).map((name) => service(world, name)),
    ...(world === "mesh" ? [policy(world)] : []),
  ]);
}

function pod(bench: string, namespace: string, role: Role, name: string): unknown {
  const isServer = role !== "client";
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, labels: { app: name, guarded: name === role && isServer ? "yes" : "no" } },
    spec: {
      nodeName: role === "far" ? "node-2" : "node-1",
      serviceAccountName: name,
      containers: [
        {
          name: "app",
          image: "none",
          command: isServer ? [NODE, join(bench, "apps/server.mjs")] : ["sleep", "infinity"],
          ...(isServer ? { readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 } } : {}),
        },
      ],
    },
  };
}

function service(namespace: string, name: string): unknown {
  const ports = [
    { name: "http", port: 8080 },
    { name: "http2", port: 8081 },
    { name: "tcp-bulk", port: 9000 },
    { name: "tcp-short", port: 9001 },
  ];
  return { apiVersion: "v1", kind: "Service", metadata: { name, namespace }, spec: { selector: { app: name }, ports } };
}

/** One ALLOW policy, by who calls and what. */
function policy(namespace: string): unknown {
  const rules = [
    {
      from: [{ source: { principals: [`cluster.local/ns/${namespace}/sa/client`] } }],
      to: [{ operation: { methods: ["GET", "POST"], paths: ["/bench", "/bench.Bench/*"] } }],
    },
  ];
  return {
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name: "only-the-client", namespace },
    spec: { selector: { matchLabels: { guarded: "yes" } }, action: "ALLOW", rules },
  };
}
