import { describe, expect, it } from "vitest";
import type { AuthzCall } from "../../agent/policy/call.ts";
import { evaluate, type Verdict } from "../../agent/policy/evaluate.ts";
import { applicablePolicies } from "../../agent/compile/policy/applicable.ts";
import { allow, ANY, type AuthzCase, type CaseCall, deny, from, when } from "./case.ts";
import { CASES } from "./cases.ts";
import { ACCOUNTS, ADDRESSES, meshOf, NAMESPACES } from "./world.ts";

function authzCall(call: CaseCall): AuthzCall {
  const { from: who = "alice", protocol = "http", headers = [] } = call;
  const known = who !== "stranger";
  const namespace = NAMESPACES[who];
  const account = ACCOUNTS[who];
  return {
    protocol,
    principal: known ? `cluster.local/ns/${namespace}/sa/${account}` : "",
    namespace: known ? namespace : "",
    serviceAccount: known ? `${namespace}/${account}` : "",
    sourceAddress: ADDRESSES[who],
    destinationAddress: ADDRESSES.web,
    port: protocol === "tcp" ? 9000 : 8080,
    sni: "",
    host: call.host ?? "web.shop",
    method: call.method ?? "GET",
    path: call.path ?? "/",
    headers,
    claims: call.claims,
  };
}

async function explain(subject: AuthzCase, trustDomain = "cluster.local"): Promise<Verdict> {
  const mesh = await meshOf(subject);
  const web = mesh.workloads.find(({ meta }) => meta.name === "web");
  if (web === undefined) throw new Error("the world has no web");
  const asked = authzCall(subject.call);
  const principal = asked.principal.replace("cluster.local", trustDomain);
  const policies = applicablePolicies(mesh, { rootNamespace: "istio-system", trustDomain })(web);
  return evaluate(policies, { ...asked, principal });
}

describe("the explainer", () => {
  for (const subject of CASES) {
    it(`${subject.name}: ${subject.verdict}`, async () => {
      expect(await explain(subject)).toMatchObject({
        verdict: subject.verdict,
        reason: expect.stringMatching(/./u) as string,
      });
    });
  }
});

it("takes cluster.local in a policy for the mesh's own trust domain, and no other for it", async () => {
  const subject = (policies: string, verdict: AuthzCase["verdict"]): AuthzCase => ({
    name: "",
    policies,
    call: {},
    verdict,
  });
  for (const { policies, verdict } of [
    subject(allow(from("principals: [cluster.local/ns/shop/sa/alice]")), "allowed"),
    subject(allow(from("principals: [cluster.local/ns/*]")), "allowed"),
    subject(allow(from("principals: [mesh.example/ns/shop/sa/alice]")), "allowed"),
    subject(allow(when("source.principal", "notValues: [cluster.local/ns/shop/sa/alice]")), "denied"),
    subject(allow(from("principals: [other.example/ns/shop/sa/alice]")), "denied"),
  ]) {
    expect((await explain(subject(policies, verdict), "mesh.example")).verdict).toBe(verdict);
  }
});

it("finds the pods behind a Service without a selector by its EndpointSlices", async () => {
  const slice = (address: string): string => `
{ apiVersion: v1, kind: Service, metadata: { name: manual, namespace: shop }, spec: { clusterIP: 10.96.0.12, ports: [{ port: 80 }] } }
---
{ apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: { name: manual-1, namespace: shop, labels: { kubernetes.io/service-name: manual } }, addressType: IPv4, ports: [{ name: "", port: 8080 }], endpoints: [{ addresses: [${address}], conditions: { ready: false } }] }
---
`;
  const policy = deny(ANY, { spec: "targetRefs: [{ kind: Service, name: manual }]" });
  for (const [address, verdict] of [
    [ADDRESSES.web, "denied"],
    [ADDRESSES.bob, "allowed"],
  ] as const) {
    const subject: AuthzCase = { name: "", policies: slice(address) + policy, call: {}, verdict };
    expect((await explain(subject)).verdict).toBe(verdict);
  }
});

it("has no two cases of one name, and enough of them", () => {
  expect(new Set(CASES.map(({ name }) => name)).size).toBe(CASES.length);
  expect(CASES.length).toBeGreaterThan(120);
});
