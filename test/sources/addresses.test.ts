import { describe, expect, it } from "vitest";
import { destinations, serviceTargets } from "../../agent/compile/view/destinations.ts";
import { newViewMemory, nodeView } from "../../agent/compile/view/node-view.ts";
import type { Mesh } from "../../agent/model/mesh.ts";
import { goldenOptions } from "../golden/golden-options.ts";
import { meshOf } from "./manifests.ts";

const service = (name: string, year: number, spec: string, status = "{}"): string => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: ${name}, creationTimestamp: "${year}-01-01T00:00:00Z" }
spec: { ports: [{ name: http, port: 80 }], ${spec} }
status: ${status}
`;

const pod = (name: string, address: string, rest = "", meta = ""): string => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: shop, labels: { ambit.dev/dataplane-mode: ambient } ${meta} }
spec: { nodeName: node-1, containers: [] ${rest} }
status: { phase: Running, podIPs: [{ ip: ${address} }] }
`;

const NODE = `
apiVersion: v1
kind: Node
metadata: { name: node-1 }
status: { addresses: [{ type: Hostname, address: node-1 }, { type: InternalIP, address: 192.168.7.1 }] }
`;

const meshWith = (...parts: readonly string[]): Promise<Mesh> => meshOf(parts.join("---"));
const found = ({ problems }: Mesh): readonly string[] =>
  problems.map(({ code, subject, reason }) => `${subject?.kind} ${subject?.name} ${code}: ${reason}`);

/** Which Service gets calls to an address. */
function servedBy(mesh: Mesh, address: string): string | undefined {
  const view = nodeView(mesh, goldenOptions(mesh), newViewMemory());
  return destinations(serviceTargets(view), view).find((each) => each.address === address)?.target.service.meta.name;
}

describe("external addresses of Services", () => {
  it("are served, and each one in use is listed", async () => {
    const ingress =
      "{ loadBalancer: { ingress: [{ ip: 203.0.113.2 }, { hostname: x }, { ip: 203.0.113.3, ipMode: Proxy }] } }";
    const mesh = await meshWith(service("a", 2025, "clusterIP: 10.96.0.1, externalIPs: [203.0.113.1]", ingress));
    expect(["203.0.113.1", "203.0.113.2", "203.0.113.3"].map((each) => servedBy(mesh, each))).toEqual([
      ...["a", "a", undefined],
    ]);
    expect(found(mesh)).toEqual([
      "Service a external-address: the Service gets the calls of all namespaces to 203.0.113.1, 203.0.113.2, as with kube-proxy",
    ]);
  });

  it("of a load balancer with source ranges are left to kube-proxy", async () => {
    const ingress = "{ loadBalancer: { ingress: [{ ip: 203.0.113.2 }] } }";
    const mesh = await meshWith(service("a", 2025, "loadBalancerSourceRanges: [10.0.0.0/8]", ingress));
    expect(servedBy(mesh, "203.0.113.2")).toBeUndefined();
  });

  it("never take an address of a pod, of a node, or another Service's", async () => {
    const taken = ["10.0.0.1", "192.168.7.1", "192.168.7.2", "10.96.0.9", "127.0.0.1", "169.254.169.254"];
    const mesh = await meshWith(
      NODE,
      pod("web", "10.0.0.1"),
      pod("kube-proxy", "192.168.7.2", ", hostNetwork: true"),
      // Younger than the Service that wants its address.
      service("z", 2026, "clusterIP: 10.96.0.9"),
      service("a", 2025, `clusterIP: 10.96.0.1, externalIPs: [${taken.join(", ")}]`),
    );
    expect(taken.map((each) => servedBy(mesh, each))).toEqual([
      ...[undefined, undefined, undefined],
      "z",
      undefined,
      undefined,
    ]);
    expect(found(mesh).map((text) => text.replace(/;.*/u, ""))).toEqual([
      "Service a address-not-free: 10.0.0.1 is the address of Pod shop/web",
      "Service a address-not-free: 10.96.0.9 is that of Service z/z",
      "Service a address-not-free: 127.0.0.1 is an address for use within a node or its link",
      "Service a address-not-free: 169.254.169.254 is an address for use within a node or its link",
      "Service a address-not-free: 192.168.7.1 is an address of Node node-1",
      "Service a address-not-free: 192.168.7.2 is an address of a node",
    ]);
  });

  it("are the older Service's, of two with one address and port", async () => {
    const both = [service("a", 2026, "externalIPs: [203.0.113.1]"), service("z", 2025, "externalIPs: [203.0.113.1]")];
    const mesh = await meshWith(...both);
    expect(servedBy(mesh, "203.0.113.1")).toBe("z");
    expect(found(mesh).join("\n")).toContain("Service a address-not-free: 203.0.113.1 is that of Service z/z");
  });
});

it("a clusterIP is no address of a pod or node", async () => {
  const mesh = await meshWith(
    NODE,
    pod("web", "10.0.0.1"),
    service("a", 2025, "clusterIP: 10.0.0.1"),
    service("b", 2025, "clusterIP: 192.168.7.1"),
  );
  expect(["10.0.0.1", "192.168.7.1"].map((each) => servedBy(mesh, each))).toEqual([undefined, undefined]);
  expect(found(mesh).filter((text) => text.includes("address-not-free"))).toHaveLength(2);
});

describe("addresses of Pods", () => {
  it("that two claim are reported at both", async () => {
    const mesh = await meshWith(pod("a", "10.0.0.1"), pod("b", "10.0.0.1"));
    expect(found(mesh).map((text) => text.replace(/:.*/u, ""))).toEqual([
      "Pod a duplicate-pod-address",
      "Pod b duplicate-pod-address",
    ]);
  });

  it("are given again while the Pod before is being deleted", async () => {
    const old = pod("a", "10.0.0.1", "", ', deletionTimestamp: "2025-01-01T00:00:00Z"');
    const mesh = await meshWith(old, pod("b", "10.0.0.1"));
    expect(found(mesh)).toEqual([]);
    expect(mesh.workloads.map(({ addresses }) => addresses)).toEqual([[], ["10.0.0.1"]]);
  });
});

it("an endpoint whose targetRef names another pod than has its address is reported", async () => {
  const slice = (name: string, address: string): string => `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: ${name}, namespace: shop, labels: { kubernetes.io/service-name: x } }
addressType: IPv4
ports: [{ name: http, port: 80 }]
endpoints: [{ addresses: [${address}], targetRef: { kind: Pod, name: mallory } }]
`;
  const mesh = await meshWith(
    ...[pod("web", "10.0.0.1"), pod("mallory", "10.0.0.6")],
    ...[slice("a", "10.0.0.1"), slice("b", "10.0.0.9"), slice("c", "10.0.0.6")],
  );
  expect(found(mesh)).toEqual([
    "EndpointSlice a endpoint-not-its-pod: targetRef names Pod shop/mallory, and 10.0.0.1 belongs to Pod shop/web: calls go to that one, as it is",
    "EndpointSlice b endpoint-not-its-pod: targetRef names Pod shop/mallory, which does not have 10.0.0.9: the endpoint is not called",
  ]);
});

it("an HTTPRoute acts neither on a Service of another namespace nor sends requests there without a grant", async () => {
  const route = `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: theirs, namespace: evil }
spec: { parentRefs: [{ group: "", kind: Service, name: a, namespace: a }], rules: [{ backendRefs: [{ name: a, namespace: a, port: 80 }] }] }
`;
  const { httpRoutes } = await meshWith(service("a", 2025, "clusterIP: 10.96.0.1"), route);
  const [read] = httpRoutes;
  expect(read?.parents ?? []).toEqual([]);
  expect(read?.rules.flatMap(({ backends }) => backends.map(({ invalid }) => invalid)) ?? [true]).toEqual([true]);
});
