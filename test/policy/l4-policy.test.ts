import { expect, it } from "vitest";
import { applicablePolicies } from "../../agent/compile/policy/applicable.ts";
import { l4Policy, type L4Policy } from "../../agent/compile/policy/l4-policy.ts";
import { allow, deny, type AuthzCase } from "./case.ts";
import { meshOf } from "./world.ts";

const MIXED = `[
  { to: [{ operation: { methods: [GET], ports: ["9000"] } }] },
  { from: [{ source: { namespaces: [shop], requestPrincipals: ["*"] } }, { source: { requestPrincipals: [x] } }] },
  { from: [{ source: { namespaces: [ops] } }], when: [{ key: destination.ip, values: [$web] }] }
]`;

async function reduced(policies: string): Promise<L4Policy> {
  const subject: AuthzCase = { name: "", policies, call: {}, verdict: "allowed" };
  const mesh = await meshOf(subject);
  const web = mesh.workloads.find(({ meta }) => meta.name === "web");
  const scope = { rootNamespace: "istio-system", trustDomain: "cluster.local" };
  const [policy] = web === undefined ? [] : applicablePolicies(mesh, scope)(web);
  if (policy === undefined) throw new Error("no policy guards the pod");
  return l4Policy(policy);
}

const OPS = { attribute: "source.namespace", values: ["ops"] };
const HERE = { attribute: "destination.ip", values: ["10.244.1.10/32"] };

it("of ALLOW keeps the rules that ask nothing of HTTP", async () => {
  const { rules } = await reduced(allow(MIXED));
  expect(rules).toMatchObject([{ from: [[OPS]], to: [], when: [HERE] }]);
});

it("of DENY keeps every rule without what asks for HTTP, and drops alternatives that one fits anyway", async () => {
  const { rules } = await reduced(deny(MIXED));
  expect(rules).toMatchObject([
    { from: [], to: [[{ attribute: "destination.port", values: ["9000"] }]], when: [] },
    { from: [], to: [], when: [] },
    { from: [[OPS]], to: [], when: [HERE] },
  ]);
});
