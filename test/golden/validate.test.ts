import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compile } from "../../agent/compile/compile.ts";
import { newSession } from "../../agent/compile/session.ts";
import { bootstrap } from "../../agent/envoy/bootstrap.ts";
import { ensureEnvoy } from "../../agent/envoy/find-envoy.ts";
import { tryExec } from "../../agent/lib/exec.ts";
import { loadManifests } from "../../agent/sources/load-manifests.ts";
import { toPrintable } from "../../agent/xds/registry.ts";
import { GOLDEN_INPUT, goldenOptions, writeCase } from "./golden-options.ts";

const HCM = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";

/** A listener without a socket that holds a route table, so that Envoy looks at that, too. */
function routeHolder(routes: unknown, index: number): unknown {
  const router = { name: "router", typed_config: { "@type": ROUTER } };
  const manager = { "@type": HCM, stat_prefix: "x", route_config: routes, http_filters: [router] };
  return {
    name: `routes-${index}`,
    internal_listener: {},
    filter_chains: [{ filters: [{ name: "http", typed_config: manager }] }],
  };
}

describe("the real Envoy accepts what is compiled", () => {
  const temporary = mkdtempSync(join(tmpdir(), "ambit-validate-"));
  let envoy = "";
  beforeAll(async () => {
    envoy = (await ensureEnvoy()).path;
    expect(existsSync(envoy)).toBe(true);
  }, 300_000);
  afterAll(() => rmSync(temporary, { recursive: true, force: true }));

  for (const file of readdirSync(GOLDEN_INPUT)) {
    it(`${file} passes --mode validate`, async () => {
      const folder = mkdtempSync(join(temporary, "case-"));
      const mesh = await loadManifests([writeCase(file, folder)]);
      const { xds } = compile(
        mesh,
        {
          ...goldenOptions(mesh),
          accessLog: join(folder, "access.log"),
        },
        newSession(0),
      );
      const base = bootstrap({
        node: "node-1",
        adsSocket: join(folder, "ads.sock"),
        adminSocket: join(folder, "admin.sock"),
      }) as { static_resources: { clusters: unknown[] } };
      const print = (messages: ReadonlyMap<string, Parameters<typeof toPrintable>[0]>): unknown[] =>
        [...messages.values()].map((message) => toPrintable(message));
      const config = {
        ...base,
        static_resources: {
          clusters: [...base.static_resources.clusters, ...print(xds.clusters), ...print(xds.onDemandClusters)],
          listeners: [...print(xds.listeners), ...print(xds.routes).map(routeHolder)],
        },
      };
      const path = join(folder, "envoy.json");
      writeFileSync(path, JSON.stringify(config));
      const result = await tryExec(envoy, ["--mode", "validate", "--config-path", path, "--log-level", "error"]);
      expect(`${result.stderr}${result.stdout}`).toContain("OK");
      expect(result.code).toBe(0);
    });
  }
});
