import { describe, expect, it } from "vitest";
import { compile, type NodeConfig } from "../../agent/compile/compile.ts";
import { newSession } from "../../agent/compile/session.ts";
import { DEFAULT_LIMITS } from "../../agent/model/limits.ts";
import type { Mesh } from "../../agent/model/mesh.ts";
import type { FetchedKeys, VerificationKey } from "../../agent/model/verification-key.ts";
import { objectsToMesh } from "../../agent/objects/objects-to-mesh.ts";
import { parseManifest } from "../../agent/sources/parse-manifest.ts";
import { goldenOptions } from "../golden/golden-options.ts";

const NODE = {
  apiVersion: "v1",
  kind: "Node",
  metadata: { name: "node-1" },
  status: { addresses: [{ type: "InternalIP", address: "10.0.0.1" }] },
};

const key = (kid: string, bytes: number): VerificationKey => ({
  kid,
  algorithms: ["RS256"],
  spki: "A".repeat(bytes),
});

/** A pod of `namespace`, and an object for it with a rule for each key set. */
function tenant(namespace: string, urls: readonly string[], name = "tokens", creationTimestamp?: string) {
  const metadata = { name: "web", namespace, labels: { "ambit.dev/mesh": "enabled" } };
  return [
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { ...metadata, uid: `${namespace}-web`, annotations: { "ambit.dev/netns": `/run/netns/${namespace}` } },
      spec: { nodeName: "node-1" },
      status: { phase: "Running", podIPs: [{ ip: `10.1.0.${namespace.length}` }] },
    },
    {
      apiVersion: "security.istio.io/v1",
      kind: "RequestAuthentication",
      metadata: { name, namespace, creationTimestamp },
      spec: { jwtRules: urls.map((jwksUri) => ({ issuer: jwksUri, jwksUri })) },
    },
  ];
}

function meshOf(...objects: readonly unknown[]): Mesh {
  const text = [NODE, ...objects].map((object) => JSON.stringify(object)).join("\n---\n");
  return objectsToMesh(parseManifest("x.yaml", 0, text).objects);
}

function compiled(
  mesh: Mesh,
  fetched: Readonly<Record<string, readonly VerificationKey[]>>,
  keys?: number,
): NodeConfig {
  const fetchedKeys = new Map(
    Object.entries(fetched).map(([url, found]): [string, FetchedKeys] => [url, { keys: found, failure: undefined }]),
  );
  const limits = { ...DEFAULT_LIMITS, ...(keys !== undefined && { keys }) };
  return compile(mesh, { ...goldenOptions(mesh), fetchedKeys, limits }, newSession(0));
}

/** How many keys each issuer has. */
const keysOf = ({ filters }: NodeConfig): Readonly<Record<string, number>> =>
  Object.fromEntries(filters.jwtRules.map(({ issuer, keys }) => [issuer, keys.length]));

const reached = ({ problems }: NodeConfig): readonly string[] =>
  problems
    .filter(({ code }) => code === "limit-reached")
    .map(({ subject, field }) => `${subject?.namespace}/${subject?.name} ${field}`);

describe("fetched keys of a namespace", () => {
  it("are bounded, however large the sets that a tenant's own server answers, and other namespaces keep theirs", () => {
    const urls = Array.from({ length: 100 }, (_, index) => `http://own.mallory/${index}`);
    const large = Array.from({ length: 100 }, (_, index) => key(`key ${index}`, 4_000));
    const mesh = meshOf(...tenant("mallory", urls), ...tenant("shop", ["https://shop/keys"]));
    const config = compiled(mesh, {
      ...Object.fromEntries(urls.map((url) => [url, large])),
      "https://shop/keys": [key("shop", 400)],
    });
    expect(JSON.stringify(config.filters).length).toBeLessThan(1_500_000);
    expect(config.filters.jwtRules).toHaveLength(101);
    expect(keysOf(config)).toMatchObject({
      "https://shop/keys": 1,
      "http://own.mallory/0": 100,
      "http://own.mallory/1": 100,
    });
    expect(keysOf(config)).toMatchObject({ "http://own.mallory/2": 0, "http://own.mallory/99": 0 });
    expect(reached(config)).toHaveLength(98);
    expect(reached(config)[0]).toBe("mallory/tokens spec.jwtRules[2].jwksUri");
  });

  it("count by the age of their objects, and what fits stays", () => {
    const young = tenant("shop", ["https://a/young"], "a-young", "2026-02-01T00:00:00Z").slice(1);
    const old = tenant("shop", ["https://a/old"], "z-old", "2026-01-01T00:00:00Z");
    const small = tenant("shop", ["https://a/small"], "small", "2026-03-01T00:00:00Z").slice(1);
    const sets = {
      "https://a/old": [key("o", 500)],
      "https://a/young": [key("y", 500)],
      "https://a/small": [key("s", 9)],
    };
    const config = compiled(meshOf(...young, ...old, ...small), sets, 800);
    expect(keysOf(config)).toEqual({ "https://a/old": 1, "https://a/young": 0, "https://a/small": 1 });
    expect(config.problems.find(({ code }) => code === "limit-reached")).toMatchObject({
      severity: "error",
      subject: { name: "a-young" },
      reason: expect.stringContaining("its tokens are rejected"),
      remedy: expect.stringContaining("--limits keys="),
    });
  });

  it("count once where several objects have the same rule", () => {
    const objects = Array.from({ length: 5 }, (_, index) => tenant("shop", ["https://a/k"], `t-${index}`).slice(1));
    const config = compiled(
      meshOf(...tenant("shop", ["https://a/k"]), ...objects.flat()),
      { "https://a/k": [key("k", 500)] },
      800,
    );
    expect([keysOf(config), reached(config)]).toEqual([{ "https://a/k": 1 }, []]);
  });
});
