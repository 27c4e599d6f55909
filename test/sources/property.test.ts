import { fc } from "../support/random.ts";
import { expect, it } from "vitest";
import { toYaml } from "../../agent/compile/to-yaml.ts";
import { objectsToMesh } from "../../agent/objects/objects-to-mesh.ts";
import { parseManifest } from "../../agent/sources/parse-manifest.ts";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { GOLDEN_INPUT, compiled } from "../golden/golden-options.ts";

const KINDS = [
  ["v1", "Namespace"],
  ["v1", "Pod"],
  ["v1", "Service"],
  ["discovery.k8s.io/v1", "EndpointSlice"],
  ["gateway.networking.k8s.io/v1", "HTTPRoute"],
  ["security.istio.io/v1", "AuthorizationPolicy"],
  ["gateway.networking.x-k8s.io/v1alpha1", "XBackendTrafficPolicy"],
] as const;

it("never throws, whatever an object holds", () => {
  const anything = fc.record({
    kind: fc.constantFrom(...KINDS),
    metadata: fc.oneof(fc.jsonValue(), fc.record({ name: fc.constantFrom("a", "b"), labels: fc.jsonValue() })),
    spec: fc.oneof(
      fc.jsonValue(),
      fc.record({ ports: fc.jsonValue(), rules: fc.jsonValue(), parentRefs: fc.jsonValue(), action: fc.jsonValue() }),
    ),
    status: fc.jsonValue(),
  });
  fc.assert(
    fc.property(fc.array(anything, { maxLength: 4 }), (values) => {
      const text = values
        .map(({ kind: [apiVersion, kind], ...rest }) => JSON.stringify({ apiVersion, kind, ...rest }))
        .join("\n---\n");
      const { objects } = parseManifest("a.yaml", 0, text);
      expect(() => compiled(objectsToMesh(objects))).not.toThrow();
    }),
    { numRuns: 300 },
  );
});

it("compiles the same whatever order its input comes in", () => {
  for (const file of readdirSync(GOLDEN_INPUT)) {
    const { objects } = parseManifest(file, 0, readFileSync(join(GOLDEN_INPUT, file), "utf8"));
    const yaml = (order: typeof objects): string => [...toYaml(compiled(objectsToMesh(order))).values()].join("\n");
    const expected = yaml(objects);
    fc.assert(
      fc.property(fc.shuffledSubarray([...objects], { minLength: objects.length }), (order) => {
        expect(yaml(order)).toBe(expected);
      }),
      { numRuns: 10 },
    );
  }
});
