import { join } from "node:path";
import { flood, type Flood } from "../attacks/flood.ts";
import { APPS, namespace, pod, service, type MeshLab } from "../mesh/mesh-lab.ts";

/** Something that costs the node much while another tenant calls. */
export interface LoadAttack {
  readonly name: string;
  /** The pod of the mesh that is attacked. */
  readonly mesh: string;
  /** One outside it that gets the same load; absent where there is no such load outside. */
  readonly outside?: string;
  /** Attacks an address, for some seconds or until `over` resolves. */
  run(lab: MeshLab, host: string, seconds: number, over: () => Promise<void>): Promise<void>;
}

const STRANGERS = ["stranger-1", "stranger-2"];
const CONNECTIONS = 12_000;
const RULES = 20;
const PORTS = 100;
const ADDRESSES = 5_500;

export const ATTACKS: readonly LoadAttack[] = [
  {
    name: "ports",
    mesh: "target",
    outside: "plain",
    run: (lab, host, _seconds, over) => floods(lab, ["evil/mallory"], ["ports", host, 10_000, 6_000], over),
  },
  connections("half"),
  connections("silent"),
  requests("path", "guarded", "plain"),
  requests("headers", "guarded", "plain"),
  requests("codes", "odd", "odd-outside"),
  {
    name: "objects",
    mesh: "target",
    run: async (lab, _host, _seconds, over) => {
      lab.write("huge.yaml", hugeService());
      await over();
      lab.remove("huge.yaml");
    },
  },
];

/** Two pods outside the mesh hold as many connections to a pod as it takes. */
function connections(kind: "half" | "silent"): LoadAttack {
  return {
    name: kind,
    mesh: "victim",
    outside: "plain",
    run: (lab, host, _seconds, over) =>
      floods(
        lab,
        STRANGERS.map((name) => `outside/${name}`),
        [kind, host, 8080, CONNECTIONS],
        over,
      ),
  };
}

async function floods(lab: MeshLab, from: readonly string[], what: Flood, over: () => Promise<void>): Promise<void> {
  await Promise.all(from.map((each) => flood(lab, each, what, over)));
}

/** One pod of the mesh sends the requests of `apps/large-requests.mjs`, eight at a time. */
function requests(kind: string, mesh: string, outside: string): LoadAttack {
  return {
    name: kind,
    mesh,
    outside,
    run: async (lab, host, seconds) => {
      const args = [join(APPS, "large-requests.mjs"), `http://${host}:8080/`, kind, `${seconds}s`];
      await lab.exec("evil/mallory", process.execPath, ...args);
    },
  };
}

/** A headless Service with so many ports, and so many addresses behind it. */
function hugeService(): readonly unknown[] {
  const ports = Array.from({ length: PORTS }, (_, index) => ({ name: `tcp-${index}`, port: 20_000 + index }));
  const metadata = (name: string, labels = {}) => ({ name, namespace: "evil", labels });
  return [
    { apiVersion: "v1", kind: "Service", metadata: metadata("huge"), spec: { clusterIP: "None", ports } },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: metadata("huge-1", { "kubernetes.io/service-name": "huge" }),
      addressType: "IPv4",
      ports: ports.map((port) => ({ ...port, protocol: "TCP" })),
      endpoints: Array.from({ length: ADDRESSES }, (_, index) => ({
        addresses: [`172.31.${index >> 8}.${index & 255}`],
      })),
    },
  ];
}

/** Everything is on one node. */
export const LOAD_OBJECTS: readonly unknown[] = [
  namespace("shop", true),
  namespace("evil", true),
  namespace("outside", false),
  pod("shop", "client", "node-1"),
  pod("shop", "server", "node-1", { server: true }),
  service("shop", "server", { app: "server" }),
  pod("shop", "victim", "node-1", { server: true }),
  service("shop", "victim", { app: "victim" }),
  pod("evil", "mallory", "node-1"),
  pod("evil", "target", "node-1", { server: true }),
  pod("evil", "guarded", "node-1", { server: true }),
  oddServer("evil", "odd"),
  oddServer("outside", "odd-outside"),
  pod("outside", "plain", "node-1", { server: true }),
  ...STRANGERS.map((name) => pod("outside", name, "node-1")),
  {
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name: "paths", namespace: "evil" },
    spec: {
      selector: { matchLabels: { app: "guarded" } },
      rules: Array.from({ length: RULES }, (_, index) => ({
        to: [{ operation: { paths: ["/allowed"] } }],
        when: [{ key: "request.headers[x-many]", notValues: [`never-${index}`] }],
      })),
    },
  },
];

/** A pod that runs `odd-codes.mjs`. */
function oddServer(ns: string, name: string): unknown {
  const container = {
    name: "app",
    image: "none",
    command: [process.execPath, join(APPS, "odd-codes.mjs")],
    readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
  };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: ns, labels: { app: name } },
    spec: { nodeName: "node-1", containers: [container] },
  };
}
