import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "../../agent/model/limits.ts";
import type { Mesh } from "../../agent/model/mesh.ts";
import { objectsToMesh } from "../../agent/objects/objects-to-mesh.ts";
import { parseManifest } from "../../agent/sources/parse-manifest.ts";

const LIMITS = { ...DEFAULT_LIMITS, policies: 1_000, tokens: 1_000, modes: 1_000 };

function object(kind: string, namespace: string, name: string, created: string, spec: unknown): unknown {
  const metadata = { name, namespace, creationTimestamp: `2026-01-01T00:00:${created}Z` };
  return { apiVersion: "security.istio.io/v1", kind, metadata, spec };
}

function meshOf(...objects: readonly unknown[]): Mesh {
  const text = objects.map((each) => JSON.stringify(each)).join("\n---\n");
  return objectsToMesh(parseManifest("x.yaml", 0, text).objects, { limits: LIMITS });
}

const reached = ({ problems }: Mesh): readonly string[] =>
  problems
    .filter(({ code }) => code === "limit-reached")
    .map(({ subject, reason, remedy }) => `${subject?.namespace}/${subject?.name}: ${reason} ${remedy}`);

describe("RequestAuthentications of a namespace", () => {
  const rules = (count: number): unknown => ({
    jwtRules: Array.from({ length: count }, (_, index) => ({
      issuer: `issuer-${index}`,
      jwksUri: "https://keys.example/",
    })),
  });

  it("beyond the limit refuse every call to what they select; others are not affected", () => {
    const mesh = meshOf(
      object("RequestAuthentication", "evil", "young", "03", rules(15)),
      object("RequestAuthentication", "evil", "old", "01", rules(10)),
      object("RequestAuthentication", "shop", "all", "05", rules(10)),
    );
    const told = mesh.requestAuthentications.map(({ meta, alwaysDeny }) => [meta.name, alwaysDeny]);
    expect(told).toEqual([
      ["old", false],
      ["young", true],
      ["all", false],
    ]);
    expect(reached(mesh)).toHaveLength(1);
    expect(reached(mesh)[0]).toMatch(/^evil\/young: it needs \d+ bytes; .*refuse every call .*--limits tokens=NUMBER/u);
  });

  it("that say nothing count, too", () => {
    const many = Array.from({ length: 20 }, (_, index) =>
      object("RequestAuthentication", "evil", `n${index}`, "01", { selector: {} }),
    );
    expect(reached(meshOf(...many)).length).toBeGreaterThan(10);
  });
});

describe("PeerAuthentications of a namespace", () => {
  const ports = (count: number): unknown => ({
    selector: { matchLabels: { app: "web" } },
    mtls: { mode: "PERMISSIVE" },
    portLevelMtls: Object.fromEntries(Array.from({ length: count }, (_, index) => [index + 1, { mode: "DISABLE" }])),
  });

  it("beyond the limit are STRICT at every port", () => {
    const mesh = meshOf(
      object("PeerAuthentication", "evil", "young", "03", ports(30)),
      object("PeerAuthentication", "evil", "old", "01", ports(10)),
      object("PeerAuthentication", "shop", "all", "05", ports(10)),
    );
    const told = mesh.peerAuthentications.map(({ meta, mode, ports: own }) => [meta.name, mode, own.size]);
    expect(told).toEqual([
      ["old", "PERMISSIVE", 10],
      ["young", "STRICT", 0],
      ["all", "PERMISSIVE", 10],
    ]);
    expect(reached(mesh)).toHaveLength(1);
    expect(reached(mesh)[0]).toMatch(/^evil\/young: .*are STRICT .*--limits modes=NUMBER/u);
  });
});

it("does not read what exceeds a limit", () => {
  const many = <T>(each: T): readonly T[] => Array.from({ length: 5_000 }, () => each);
  const ports = Object.fromEntries(many({ mode: "nonsense" }).map((mode, index) => [`p${index}`, mode]));
  const mesh = meshOf(
    object("AuthorizationPolicy", "evil", "p", "01", { rules: many({ nonsense: 1 }) }),
    object("RequestAuthentication", "evil", "r", "01", { jwtRules: many({ nonsense: 1 }) }),
    object("PeerAuthentication", "evil", "m", "01", { mtls: { mode: "PERMISSIVE" }, portLevelMtls: ports }),
  );
  expect(mesh.authorizationPolicies).toMatchObject([{ alwaysDeny: true, rules: [] }]);
  expect(mesh.requestAuthentications).toMatchObject([{ alwaysDeny: true, rules: [] }]);
  expect(mesh.peerAuthentications).toMatchObject([{ mode: "STRICT" }]);
  expect(reached(mesh)).toHaveLength(3);
  expect(mesh.problems.map(({ code }) => code).filter((code) => code !== "limit-reached")).toEqual([
    "port-mode-without-selector",
  ]);
});
