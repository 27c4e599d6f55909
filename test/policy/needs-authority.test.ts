import { expect, it } from "vitest";
import { needsAuthority } from "../../agent/policy/needs-authority.ts";
import { meshOf } from "../sources/manifests.ts";

async function found(kind: string, spec: string): Promise<readonly (readonly [field: string, reason: string])[]> {
  const mesh = await meshOf(
    `{ apiVersion: security.istio.io/v1, kind: ${kind}, metadata: { name: o, namespace: shop }, spec: ${spec} }`,
  );
  return needsAuthority(mesh).map(({ field, reason }) => [field, reason]);
}

const NOT_STRICT =
  "without an authority pods have no certificates: STRICT refuses every call except those of mesh pods on the same node";
const NO_IDENTITY = "without an authority calls from other nodes carry no identity: this field holds for";

it("names a PeerAuthentication that is STRICT, and no other", async () => {
  expect(await found("PeerAuthentication", "{ mtls: { mode: STRICT } }")).toEqual([["spec.mtls.mode", NOT_STRICT]]);
  expect(
    await found(
      "PeerAuthentication",
      "{ selector: { matchLabels: { a: b } }, mtls: { mode: PERMISSIVE }, portLevelMtls: { 81: { mode: DISABLE }, 80: { mode: STRICT } } }",
    ),
  ).toEqual([["spec.portLevelMtls[80].mode", NOT_STRICT]]);
  expect(await found("PeerAuthentication", "{ mtls: { mode: PERMISSIVE } }")).toEqual([]);
});

it("names the field of an AuthorizationPolicy that asks for the caller's identity, and no other", async () => {
  const policy = (rule: string): ReturnType<typeof found> =>
    found("AuthorizationPolicy", `{ action: ALLOW, rules: [{}, ${rule}] }`);
  expect(await policy('{ from: [{ source: { principals: ["a/ns/b/sa/c"] } }] }')).toEqual([
    ["spec.rules[1].from[0].source.principals", `${NO_IDENTITY} none of them`],
  ]);
  expect(await policy("{ from: [{ source: { notNamespaces: [evil] } }] }")).toEqual([
    ["spec.rules[1].from[0].source.notNamespaces", `${NO_IDENTITY} all of them`],
  ]);
  expect(await policy("{ when: [{ key: source.namespace, values: [shop] }] }")).toEqual([
    ["spec.rules[1].when[0].values (source.namespace)", `${NO_IDENTITY} none of them`],
  ]);
  expect(
    await policy('{ from: [{ source: { ipBlocks: ["10.0.0.0/8"] } }], to: [{ operation: { paths: [/] } }] }'),
  ).toEqual([]);
});
