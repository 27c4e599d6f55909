import { describe, expect, it } from "vitest";
import { selectsNothing } from "../../agent/policy/selects-nothing.ts";
import { meshOf } from "../sources/manifests.ts";

const POD =
  "{ apiVersion: v1, kind: Pod, metadata: { name: web, namespace: shop, labels: { app: web } }, spec: { containers: [{ name: a, image: a }] } }";
const object = (kind: string, namespace: string, spec: string): string =>
  `{ apiVersion: security.istio.io/v1, kind: ${kind}, metadata: { name: o, namespace: ${namespace} }, spec: ${spec} }`;

const WEB = "selector: { matchLabels: { app: web } }";
const TYPO = "selector: { matchLabels: { app: wbe } }";

async function found(...manifests: readonly string[]): Promise<readonly (readonly [field: string, reason: string])[]> {
  const mesh = await meshOf(manifests.join("\n---\n"));
  return selectsNothing(mesh, "istio-system").map(({ field, reason }) => [field, reason]);
}

describe("an object that guards no pod", () => {
  const cases = [
    ["AuthorizationPolicy", "rules: [{}]"],
    ["RequestAuthentication", 'jwtRules: [{ issuer: "https://a", jwksUri: "https://a/k" }]'],
    ["PeerAuthentication", "mtls: { mode: STRICT }"],
  ] as const;
  for (const [kind, spec] of cases) {
    it(`is named: ${kind}`, async () => {
      const [nobody, nowhere] = await Promise.all([
        found(POD, object(kind, "shop", `{ ${TYPO}, ${spec} }`)),
        found(POD, object(kind, "shpo", `{ ${spec} }`)),
      ]);
      expect(nobody).toEqual([
        ["spec.selector", "no pod of the namespace shop has these labels: the object has no effect"],
      ]);
      expect(nowhere).toEqual([["", "the namespace shpo has no pod: the object has no effect"]]);
      for (const [namespace, selector] of [
        ["shop", `${WEB}, `],
        ["shop", ""],
        ["istio-system", ""],
      ] as const) {
        expect(await found(POD, object(kind, namespace, `{ ${selector}${spec} }`))).toEqual([]);
      }
    });
  }

  it("is not, where the manifests have no pods at all", async () => {
    expect(await found(object("AuthorizationPolicy", "shop", `{ ${TYPO} }`))).toEqual([]);
  });
});
