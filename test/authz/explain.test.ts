import { describe, expect, it } from "vitest";
import type { AuthzCall } from "../../agent/authz/call.ts";
import { evaluate, type Verdict } from "../../agent/authz/evaluate.ts";
import { applicablePolicies } from "../../agent/compile/authz/applicable.ts";
import type { AuthzCase, CaseCall } from "./case.ts";
import { CASES } from "./cases.ts";
import { ACCOUNTS, ADDRESSES, meshOf, NAMESPACES } from "./world.ts";

const SCOPE = { rootNamespace: "istio-system", trustDomain: "cluster.local" };

function authzCall(call: CaseCall): AuthzCall {
  const { from = "alice", protocol = "http", headers = [] } = call;
  const known = from !== "stranger";
  const namespace = NAMESPACES[from];
  const account = ACCOUNTS[from];
  return {
    protocol,
    principal: known ? `cluster.local/ns/${namespace}/sa/${account}` : "",
    namespace: known ? namespace : "",
    serviceAccount: known ? `${namespace}/${account}` : "",
    sourceAddress: ADDRESSES[from],
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

async function explain(subject: AuthzCase): Promise<Verdict> {
  const mesh = await meshOf(subject);
  const web = mesh.workloads.find(({ meta }) => meta.name === "web");
  if (web === undefined) throw new Error("the world has no web");
  return evaluate(applicablePolicies(mesh, SCOPE)(web), authzCall(subject.call));
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

it("has no two cases of one name, and enough of them", () => {
  expect(new Set(CASES.map(({ name }) => name)).size).toBe(CASES.length);
  expect(CASES.length).toBeGreaterThan(120);
});
