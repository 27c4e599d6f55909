import { expect, it } from "vitest";
import { stringify } from "../../agent/lib/yaml.ts";
import { compiled } from "../golden/golden-options.ts";
import { meshOf } from "../sources/manifests.ts";

const time = (year: number) => `${year}-01-01T00:00:00Z`;

function object(apiVersion: string, kind: string, namespace: string, name: string, rest: object, year = 2026): string {
  return stringify({ apiVersion, kind, metadata: { name, namespace, creationTimestamp: time(year) }, ...rest });
}

const NAMESPACE = stringify({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: "shop", labels: { "ambit.dev/dataplane-mode": "ambient" } },
});
const POD = stringify({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    ...{ name: "web", namespace: "shop", uid: "uid-web", labels: { app: "web" } },
    annotations: { "ambit.dev/netns": "/run/netns/web" },
  },
  spec: { nodeName: "node-1", containers: [{ name: "app", image: "app" }] },
  status: { phase: "Running", podIPs: [{ ip: "10.244.1.10" }] },
});

it("gives all ports of a Service's address to the namespace that has it", async () => {
  const service = (namespace: string, port: number, year: number) =>
    object("v1", "Service", namespace, "web", { spec: { clusterIP: "10.96.0.10", ports: [{ port }] } }, year);
  const mesh = await meshOf([NAMESPACE, POD, service("shop", 80, 2025), service("mallory", 81, 2026)].join("---\n"));
  expect(compiled(mesh).capture.destinations.map(({ address, port }) => `${address}:${port}`)).toEqual([
    "10.244.1.10:0",
    "10.96.0.10:80",
  ]);
  expect(mesh.problems.map(({ code, subject }) => [code, subject?.namespace])).toEqual([
    ["duplicate-cluster-ip", "mallory"],
  ]);
});

it("warns of a policy by the Services of its namespace", async () => {
  const policy = object("security.istio.io/v1", "AuthorizationPolicy", "shop", "readers", {
    spec: { rules: [{ to: [{ operation: { methods: ["GET"] } }] }] },
  });
  const tcp = (namespace: string) => [
    object("v1", "Service", namespace, "web", { spec: { clusterIP: "None", ports: [{ name: "tcp", port: 9000 }] } }),
    stringify({
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: "web", namespace, labels: { "kubernetes.io/service-name": "web" } },
      addressType: "IPv4",
      ports: [{ name: "tcp", port: 9000 }],
      endpoints: [{ addresses: ["10.244.1.10"] }],
    }),
  ];
  const problemsWith = async (namespace: string): Promise<readonly string[]> =>
    compiled(await meshOf([NAMESPACE, POD, policy, ...tcp(namespace)].join("---\n"))).problems.map(({ code }) => code);
  expect(await problemsWith("shop")).toEqual(["http-rule-on-tcp-port"]);
  expect(await problemsWith("mallory")).toEqual([]);
});
