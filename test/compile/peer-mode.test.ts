import { expect, test } from "vitest";
import { modeOf, peerModes, withoutStrict, type PeerModes } from "../../agent/compile/mtls/peer-mode.ts";
import type { Mesh } from "../../agent/model/mesh.ts";
import { meshOf } from "../sources/manifests.ts";

const ROOT = "istio-system";

interface Written {
  readonly name?: string;
  readonly namespace?: string;
  readonly created?: string;
  readonly spec: string;
}

/** The modes of a pod `web` (app: web) in the namespace `shop`, beside these. */
async function modes(...policies: readonly Written[]): Promise<PeerModes> {
  const pod =
    "{ apiVersion: v1, kind: Pod, metadata: { name: web, namespace: shop, labels: { app: web, tier: front } } }";
  const written = policies.map(
    ({ name = "p", namespace = "shop", created = "2026-01-01T00:00:00Z", spec }) =>
      `{ apiVersion: security.istio.io/v1, kind: PeerAuthentication, spec: ${spec}, ` +
      `metadata: { name: ${name}, namespace: ${namespace}, creationTimestamp: "${created}" } }`,
  );
  const mesh: Mesh = await meshOf([pod, ...written].join("\n---\n"));
  const [workload] = mesh.workloads;
  if (workload === undefined) throw new Error("the pod is not there");
  return peerModes(mesh.peerAuthentications, ROOT)(workload);
}

const mtls = (mode: string): string => `{ mtls: { mode: ${mode} } }`;
const selected = (labels: string, rest: string): string => `{ selector: { matchLabels: { ${labels} } }, ${rest} }`;

test("without a policy both are taken", async () => {
  expect(await modes()).toEqual({ other: "PERMISSIVE", ports: new Map() });
});

test("the narrowest scope that says something counts", async () => {
  const mesh = { namespace: ROOT, spec: mtls("STRICT") };
  const wide = { spec: mtls("DISABLE") };
  const own = {
    name: "own",
    spec: selected("app: web", "mtls: { mode: PERMISSIVE }, portLevelMtls: { 9000: { mode: STRICT } }"),
  };
  expect((await modes(mesh)).other).toBe("STRICT");
  expect((await modes(mesh, wide)).other).toBe("DISABLE");
  const all = await modes(mesh, wide, own);
  expect([modeOf(all, 8080), modeOf(all, 9000)]).toEqual(["PERMISSIVE", "STRICT"]);
});

test("UNSET, and what is left out, is the wider scope's", async () => {
  const mesh = { namespace: ROOT, spec: mtls("STRICT") };
  expect((await modes(mesh, { spec: mtls("UNSET") })).other).toBe("STRICT");
  expect((await modes(mesh, { spec: "{}" })).other).toBe("STRICT");
  const own = {
    name: "own",
    spec: selected("app: web", "mtls: { mode: UNSET }, portLevelMtls: { 80: { mode: UNSET }, 81: { mode: DISABLE } }"),
  };
  expect(await modes({ spec: mtls("STRICT") }, own)).toEqual({ other: "STRICT", ports: new Map([[81, "DISABLE"]]) });
});

test("of two in one scope the older counts, and of two as old the first by name", async () => {
  const newer = { name: "a", created: "2026-02-01T00:00:00Z", spec: mtls("DISABLE") };
  const older = { name: "b", created: "2026-01-01T00:00:00Z", spec: mtls("STRICT") };
  expect((await modes(newer, older)).other).toBe("STRICT");
  expect((await modes({ ...older, name: "d" }, { ...newer, name: "c", created: "2026-01-01T00:00:00Z" })).other).toBe(
    "DISABLE",
  );
  const first = { ...older, spec: selected("app: web", "mtls: { mode: STRICT }") };
  expect((await modes({ ...newer, spec: selected("tier: front", "mtls: { mode: DISABLE }") }, first)).other).toBe(
    "STRICT",
  );
});

test("who is not selected, or lives elsewhere, is not spoken of", async () => {
  expect((await modes({ spec: selected("app: api", "mtls: { mode: STRICT }") })).other).toBe("PERMISSIVE");
  expect((await modes({ spec: selected("app: web, tier: back", "mtls: { mode: STRICT }") })).other).toBe("PERMISSIVE");
  expect((await modes({ namespace: "other", spec: mtls("STRICT") })).other).toBe("PERMISSIVE");
  expect((await modes({ namespace: ROOT, spec: selected("app: web", "mtls: { mode: STRICT }") })).other).toBe(
    "PERMISSIVE",
  );
});

test("modes of ports count with a selector only", async () => {
  expect((await modes({ spec: "{ portLevelMtls: { 80: { mode: STRICT } } }" })).ports).toEqual(new Map());
});

test("who joins or leaves is not STRICT, and what was DISABLE stays so", () => {
  const ports = new Map([
    [80, "STRICT"],
    [81, "DISABLE"],
  ] as const);
  expect(withoutStrict({ other: "STRICT", ports })).toEqual({
    other: "PERMISSIVE",
    ports: new Map([
      [80, "PERMISSIVE"],
      [81, "DISABLE"],
    ]),
  });
});
