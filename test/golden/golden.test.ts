import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { compile } from "../../agent/compile/compile.ts";
import { newSession } from "../../agent/compile/session.ts";
import { FILTERS, ROUTES } from "../../agent/compile/view/names.ts";
import { toYaml } from "../../agent/compile/to-yaml.ts";
import { loadManifests } from "../../agent/sources/load-manifests.ts";
import type { RouteConfiguration } from "../../agent/xds/gen/envoy/config/route/v3/route_pb.ts";
import { GOLDEN_INPUT, GOLDEN_OUTPUT, goldenOptions, writeCase } from "./golden-options.ts";

const temporary = mkdtempSync(join(tmpdir(), "ambit-golden-"));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

/** What `node-1` is told for one file of manifests; origins are relative, so that they are the same everywhere. */
async function compiled(file: string): Promise<ReadonlyMap<string, string>> {
  const folder = writeCase(file, temporary);
  const mesh = await loadManifests([folder]);
  const files = toYaml(compile(mesh, goldenOptions(mesh), newSession(0)));
  return new Map([...files].map(([name, text]) => [name, text.replaceAll(`${folder}/`, "")]));
}

describe("what a node is told for test/golden/in", () => {
  for (const file of readdirSync(GOLDEN_INPUT)) {
    it(`${file} is as recorded (record anew with: npx vitest run test/golden -u)`, async () => {
      for (const [name, text] of await compiled(file)) {
        await expect(text).toMatchFileSnapshot(join(GOLDEN_OUTPUT, basename(file, ".yaml"), name));
      }
    });
  }

  it("every virtual host leaves out one of the two outbound filters: a call without both would not be guarded", async () => {
    const outbound = [FILTERS.outbound.resource, FILTERS.outboundRouted.resource];
    for (const file of readdirSync(GOLDEN_INPUT)) {
      const mesh = await loadManifests([writeCase(file, temporary)]);
      const { xds } = compile(mesh, goldenOptions(mesh), newSession(0));
      const routes = xds.routes.get(ROUTES.outbound) as RouteConfiguration;
      for (const { typedPerFilterConfig } of routes.virtualHosts) {
        const left = Object.keys(typedPerFilterConfig);
        expect(left).toHaveLength(1);
        expect(outbound).toContain(left[0]);
      }
    }
  });

  it("a policy changes no listener: its connections would be cut", async () => {
    const mesh = await loadManifests([writeCase("policies.yaml", temporary)]);
    expect(mesh.authorizationPolicies.length).toBeGreaterThan(0);
    const listeners = (policies: typeof mesh.authorizationPolicies) =>
      toYaml(compile({ ...mesh, authorizationPolicies: policies }, goldenOptions(mesh), newSession(0))).get(
        "listeners.yaml",
      );
    expect(listeners([])).toBe(listeners(mesh.authorizationPolicies));
  });

  it("every recorded case still has its input", () => {
    const inputs = readdirSync(GOLDEN_INPUT).map((file) => basename(file, ".yaml"));
    expect(readdirSync(GOLDEN_OUTPUT).toSorted()).toEqual(inputs.toSorted());
  });
});
