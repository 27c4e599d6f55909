import { describe, expect, test } from "vitest";
import { addressOwners } from "../../agent/compile/view/address-owners.ts";
import { compile, type NodeConfig } from "../../agent/compile/compile.ts";
import { newSession } from "../../agent/compile/session.ts";
import type { CompileOptions } from "../../agent/compile/view/options.ts";
import { remotePod } from "../../agent/model/exchange.ts";
import type { Mesh } from "../../agent/model/mesh.ts";
import type { LocalPodState } from "../../agent/model/pod-state.ts";
import { stringify } from "../../agent/lib/yaml.ts";
import { toPrintable } from "../../agent/xds/registry.ts";
import { goldenOptions } from "../golden/golden-options.ts";
import { meshOf } from "../sources/manifests.ts";

const namespaces = `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { ambit.dev/dataplane-mode: ambient } }
---
apiVersion: v1
kind: Namespace
metadata: { name: evil, labels: { ambit.dev/dataplane-mode: ambient } }
`;

const pod = (name: string, address: string, node = "node-1"): string => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: ${name === "mallory" ? "evil" : "shop"}, uid: uid-${name}, labels: { app: ${name} }, annotations: { ambit.dev/netns: /run/netns/${name} } }
spec: { nodeName: ${node}, serviceAccountName: ${name}, containers: [{ name: c }] }
status: { phase: Running, podIP: ${address}, podIPs: [{ ip: ${address} }] }
`;

const service = (name: string, clusterIP: string, port: string, address: string, target: string): string => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: evil }
spec: { clusterIP: ${clusterIP}, ports: [{ name: ${port}, port: 8080 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: ${name}-1, namespace: evil, labels: { kubernetes.io/service-name: ${name} } }
addressType: IPv4
ports: [{ name: ${port}, port: 8080 }]
endpoints: [{ addresses: [${address}], targetRef: { kind: Pod, name: ${target} } }]
`;

const WEB = pod("web", "10.0.0.1");
const MALLORY = pod("mallory", "10.0.0.6");

async function meshWith(...parts: readonly string[]): Promise<Mesh> {
  return meshOf([namespaces, ...parts].join("---"));
}

async function told(mesh: Mesh, options: Partial<CompileOptions> = {}): Promise<NodeConfig> {
  return Promise.resolve(compile(mesh, { ...goldenOptions(mesh), ...options }, newSession(0)));
}

const dialled = ({ capture }: NodeConfig, address: string): readonly string[] =>
  capture.destinations.filter((each) => each.address === address).map(({ port, mode }) => `${port} ${mode}`);
const endpoints = ({ xds }: NodeConfig, name: string): string => {
  const message = xds.endpoints.get(name);
  return message === undefined ? "" : stringify(toPrintable(message));
};

test("a headless Service of another namespace takes no call to a pod's address", async () => {
  const grab = service("grab", "None", "http", "10.0.0.1", "mallory");
  const alone = await told(await meshWith(WEB, MALLORY));
  const grabbed = await told(await meshWith(WEB, MALLORY, grab));
  expect(dialled(grabbed, "10.0.0.1")).toEqual(dialled(alone, "10.0.0.1"));
  for (const name of ["10.0.0.1:8080", "tcp|10.0.0.1:8080"]) {
    expect(endpoints(grabbed, name)).toBe(endpoints(alone, name));
    expect(endpoints(grabbed, name)).toContain("/run/netns/web");
  }
});

test("nor does one take an address that no pod has", async () => {
  const { capture } = await told(await meshWith(WEB, service("grab", "None", "http", "192.0.2.1", "mallory")));
  expect(capture.destinations.filter(({ address }) => address === "192.0.2.1")).toEqual([]);
});

test("an endpoint is the pod that has its address, whatever targetRef says", async () => {
  const config = await told(await meshWith(WEB, MALLORY, service("grab", "10.96.0.9", "http", "10.0.0.1", "mallory")));
  const text = endpoints(config, "outbound|8080||grab.evil.svc.cluster.local");
  expect(text).toContain("cluster.local/ns/shop/sa/web");
  expect(text).not.toContain("mallory");
});

test("an endpoint that is meant to be a pod of the mesh, without having its address, is called by nobody", async () => {
  const config = await told(await meshWith(MALLORY, service("grab", "10.96.0.9", "http", "10.0.0.9", "mallory")));
  expect(endpoints(config, "outbound|8080||grab.evil.svc.cluster.local")).not.toContain("10.0.0.9");
});

test("a foreign Service's protocol is no way around the filters of a pod on the same node", async () => {
  const ways = async (port: string, own: string): Promise<string> => {
    const served = own === "" ? [] : [service("own", "10.96.0.8", own, "10.0.0.1", "web").replaceAll("evil", "shop")];
    const theirs = service("grab", "10.96.0.9", port, "10.0.0.1", "web");
    const config = await told(await meshWith(WEB, MALLORY, theirs, ...served));
    const cluster = "outbound|8080||grab.evil.svc.cluster.local";
    return [cluster, `tcp|${cluster}`]
      .map((name) => /server_listener_name: (\S+)/u.exec(endpoints(config, name))?.[1])
      .join();
  };
  // For HTTP, then for bytes.
  expect(await ways("tcp", "http")).toBe("local_deliver,local_inbound");
  expect(await ways("tcp", "")).toBe("local_deliver,local_detect");
  expect(await ways("tcp", "tcp")).toBe("local_deliver,local_deliver");
  expect(await ways("unknown", "http")).toBe("local_deliver,local_inbound");
  expect(await ways("unknown", "")).toBe("local_deliver,local_deliver");
});

test("a Service does not take the address of a pod", async () => {
  const grab = service("grab", "10.0.0.1", "tcp", "10.0.0.6", "mallory");
  expect(dialled(await told(await meshWith(WEB, MALLORY, grab)), "10.0.0.1")).toEqual(["0 detect"]);
});

const TWIN = pod("twin", "10.0.0.1", "node-2");
const NODE = `
apiVersion: v1
kind: Node
metadata: { name: node-1 }
status: { addresses: [{ address: node-1.example }, { address: 192.0.2.1 }, { address: "2001:DB8::1" }] }
`;
/** The state of a pod of this node, which has these addresses. */
const foundIn = (...addresses: readonly string[]): LocalPodState => ({
  ...{ netns: "/run/netns/web", addresses },
  state: { phase: "captured", strict: true, since: 0, announced: 0, followedAt: 0 },
});

test("of two live pods that claim one address none is trusted, and calls to it are refused", async () => {
  const mesh = await meshWith(WEB, TWIN);
  const config = await told(mesh, { pods: new Map(), remoteCaptured: new Map() });
  const proofs = { node: "node-1", pods: new Map(), remoteCaptured: new Map() };
  const { byAddress, contested } = addressOwners(mesh.workloads, mesh.nodes, proofs);
  expect([[...byAddress], [...contested]]).toEqual([[], ["10.0.0.1"]]);
  for (const name of ["10.0.0.1:80", "tcp|10.0.0.1:80"]) {
    expect([config.xds.clusters.get(name), config.xds.onDemandClusters.get(name)]).toEqual([undefined, undefined]);
  }
});

describe("the address of a node", () => {
  const WEB_HAS_IT = { pods: new Map([["uid-web", foundIn("10.0.0.1")]]), remoteCaptured: new Map() };
  const NOTHING_FOUND = { pods: new Map(), remoteCaptured: new Map() };
  /** The owners where `twin` is on the host's network, or where Nodes have addresses. */
  async function owners(
    nodes: Mesh["nodes"],
    found: Pick<CompileOptions, "pods" | "remoteCaptured">,
  ): Promise<readonly string[]> {
    const { workloads } = await meshWith(WEB, TWIN);
    const onHost = workloads.map((each) => ({ ...each, hostNetwork: each.meta.name === "twin" }));
    const { byAddress, contested } = addressOwners(onHost, nodes, { node: "node-1", ...found });
    return [...byAddress].map(([address, { meta }]) => `${address} ${meta.name}`).concat([...contested]);
  }
  const node = (name: string, address: string) => ({ name, addresses: [address] });

  test("is no pod's, where pods on the host's network alone say so", async () =>
    expect(await owners([], NOTHING_FOUND)).toEqual([]));
  test("is not what a pod on the host's network claims, if a pod has it", async () =>
    expect(await owners([], WEB_HAS_IT)).toEqual(["10.0.0.1 web"]));
  test("is not what a pod on the host's network claims, if Nodes say which addresses they have", async () =>
    expect(await owners([node("node-2", "192.0.2.2")], NOTHING_FOUND)).toEqual(["10.0.0.1 web"]));
  test("is no pod's on that node, whatever the pod's network namespace has", async () =>
    expect(await owners([node("node-1", "10.0.0.1")], WEB_HAS_IT)).toEqual([]));
  test("is not what a pod of another node merely claims", async () =>
    expect(await owners([node("node-2", "10.0.0.1")], NOTHING_FOUND)).toEqual([]));
  test("is refused if a pod of another node has it: the Node or the pod lies", async () =>
    expect(await owners([node("node-2", "10.0.0.1")], WEB_HAS_IT)).toEqual(["10.0.0.1"]));
});

test("a Node object has the addresses of its status", async () => {
  const mesh = await meshWith(WEB, NODE);
  expect(mesh.nodes).toEqual([{ name: "node-1", addresses: ["192.0.2.1", "2001:db8::1"] }]);
});

test("what a pod's own node has found counts against a mere claim, and no other node can say it", async () => {
  const mesh = await meshWith(WEB, TWIN);
  const { pods } = goldenOptions(mesh);
  const owner = (options: Pick<CompileOptions, "pods" | "remoteCaptured">): string | undefined =>
    addressOwners(mesh.workloads, mesh.nodes, { node: "node-1", ...options }).byAddress.get("10.0.0.1")?.meta.name;
  const found = (node: string, ...addresses: readonly string[]) =>
    new Map([[remotePod({ node, uid: "uid-twin" }), addresses] as const]);
  expect(owner({ pods, remoteCaptured: new Map() })).toBe("web");
  expect(owner({ pods: new Map(), remoteCaptured: found("node-2", "10.0.0.1") })).toBe("twin");
  expect(owner({ pods: new Map(), remoteCaptured: found("node-2", "10.0.0.7") })).toBe("web");
  expect(owner({ pods: new Map(), remoteCaptured: found("node-3", "10.0.0.1") })).toBeUndefined();
  expect(owner({ pods, remoteCaptured: found("node-2", "10.0.0.1") })).toBeUndefined();
});
