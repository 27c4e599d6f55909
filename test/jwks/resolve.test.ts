import { describe, expect, it } from "vitest";
import { fetchText } from "../../agent/jwks/fetch-text.ts";
import { resolver, type Resolve } from "../../agent/jwks/resolve.ts";
import { meshOf } from "../sources/manifests.ts";
import { KeyServer } from "./key-server.ts";

const MANIFESTS = `
apiVersion: v1
kind: Service
metadata: { name: keys, namespace: shop }
spec: { clusterIP: 10.96.0.9, selector: { app: keys }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
---
apiVersion: v1
kind: Pod
metadata: { name: keys, namespace: shop, labels: { app: keys } }
spec: { nodeName: node-1, containers: [] }
status: { phase: Running, podIPs: [{ ip: 10.0.0.7 }], conditions: [{ type: Ready, status: "True" }] }
`;

/** A Service of an attacker, whose slice names any address. */
const naming = (address: string): string => `
apiVersion: v1
kind: Service
metadata: { name: grab, namespace: evil }
spec: { clusterIP: 10.96.0.66, ports: [{ name: http, port: 80 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: grab-1, namespace: evil, labels: { kubernetes.io/service-name: grab } }
addressType: ${address.includes(":") ? "IPv6" : "IPv4"}
ports: [{ name: http, port: 9901 }]
endpoints: [{ addresses: ["${address}"] }]
---
apiVersion: v1
kind: Pod
metadata: { name: kube-proxy, namespace: kube-system }
spec: { nodeName: node-2, hostNetwork: true, containers: [] }
status: { phase: Running, podIPs: [{ ip: 192.168.7.2 }] }
`;

describe("where a key set is asked for", () => {
  const at = async (host: string, port = 80, named = "192.0.2.9"): Promise<unknown> => {
    const mesh = await meshOf(`${MANIFESTS}---${naming(named)}`);
    return resolver(
      () => mesh,
      () => ["192.168.7.1"],
    )(host, port);
  };

  for (const host of [
    "keys.shop",
    "keys.shop.svc",
    "keys.shop.svc.cluster.local",
    "Keys.Shop.svc.cluster.local.",
    "10.96.0.9",
  ]) {
    it(`${host}: at the Service's endpoints`, async () =>
      expect(await at(host)).toEqual([{ address: "10.0.0.7", port: 8080 }]));
  }
  it("a port that the Service does not have: nowhere", () =>
    expect(at("keys.shop", 81)).rejects.toThrow(/no ready endpoint/u));
  it("an address: there", async () => expect(await at("192.0.2.1", 99)).toEqual([{ address: "192.0.2.1", port: 99 }]));
  it("a Service without Pods: at the addresses of its slice", async () =>
    expect(await at("grab.evil")).toEqual([{ address: "192.0.2.9", port: 9901 }]));

  const NEVER = [
    ...["127.0.0.1", "::1", "169.254.169.254", "0.0.0.0", "fe80::1", "224.0.0.1", "100.100.100.200", "fd00:ec2::254"],
    // This node's, and another's.
    ...["192.168.7.1", "192.168.7.2"],
  ];
  for (const host of [...NEVER, "localhost", "::ffff:127.0.0.1", "::ffff:a9fe:a9fe"]) {
    it(`${host}: never`, () => expect(at(host)).rejects.toThrow(/the agent does not call/u));
  }
  for (const address of NEVER) {
    it(`${address} in a Service's slice: never`, async () => {
      for (const host of ["grab.evil", "10.96.0.66"])
        await expect(at(host, 80, address)).rejects.toThrow(/the agent does not call/u);
    });
  }

  it("a redirection to an address of the node: never", async () => {
    const mesh = await meshOf(MANIFESTS);
    const [outside, admin] = [new KeyServer((_, response) => response.end()), new KeyServer(() => undefined)];
    await Promise.all([outside.listen(), admin.listen()]);
    const check = resolver(() => mesh);
    const resolve: Resolve = (host, port) =>
      host === "keys.example" ? Promise.resolve([{ address: "127.0.0.1", port: outside.port }]) : check(host, port);
    try {
      for (const host of ["127.0.0.1", "localhost", "[::ffff:7f00:1]", "2130706433"]) {
        outside.answer = (_, response) =>
          response.writeHead(302, { location: `http://${host}:${admin.port}/keys` }).end();
        await expect(fetchText("http://keys.example/", 30_000, resolve)).rejects.toThrow(/the agent does not call/u);
      }
      expect(admin.asked).toBe(0);
    } finally {
      await Promise.all([outside.close(), admin.close()]);
    }
  });
});
