import { describe, expect, it } from "vitest";
import { resolver } from "../../agent/jwks/resolve.ts";
import { meshOf } from "../sources/manifests.ts";

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

describe("where a key set is asked for", () => {
  const at = async (host: string, port = 80): Promise<unknown> => {
    const mesh = await meshOf(MANIFESTS);
    return resolver(() => mesh)(host, port);
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
  for (const host of ["127.0.0.1", "localhost", "::1", "169.254.169.254", "::ffff:127.0.0.1", "0.0.0.0", "fe80::1"]) {
    it(`${host}: never`, () => expect(at(host)).rejects.toThrow(/the agent does not call/u));
  }
});
