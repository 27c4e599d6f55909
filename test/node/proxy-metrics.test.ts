import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createLogger } from "../../agent/lib/log.ts";
import { proxyMetrics } from "../../agent/node/metrics/proxy-metrics.ts";
import type { Mesh } from "../../agent/model/mesh.ts";
import { AdsServer } from "../../agent/envoy/ads/ads-server.ts";
import { EMPTY_SNAPSHOT } from "../../agent/xds/snapshot.ts";
import { eventually } from "../support/eventually.ts";
import { TestEnvoy } from "../xds/envoy.ts";

const MESH: Mesh = {
  namespaces: [],
  workloads: [],
  services: [],
  endpointSlices: [],
  httpRoutes: [],
  peerAuthentications: [],
  authorizationPolicies: [],
  requestAuthentications: [],
  backendTrafficPolicies: [],
  nodes: [],
  problems: [],
};
const envoy = new TestEnvoy();
const ads = new AdsServer(createLogger("test", "silent"), () => Promise.resolve(new Set()));

beforeAll(async () => {
  await ads.start(envoy.adsSocket);
  ads.publish(EMPTY_SNAPSHOT);
  await envoy.start();
  await eventually(async () => expect(await envoy.ready()).toBe(true));
});

afterAll(async () => {
  ads.close();
  await envoy.stop();
});

function page(adminSocket: string): Promise<string> {
  return text(proxyMetrics({ adminSocket, mesh: MESH, node: "node-1", signal: AbortSignal.timeout(10_000) }));
}

it("shows a selection of the real Envoy's own statistics, each line a sample of a declared metric", async () => {
  const shown = await page(envoy.adminSocket);
  expect(shown).toContain("\nenvoy_server_live 1\n");
  expect(shown).toContain("\nenvoy_listener_manager_total_listeners_active 0\n");
  for (const line of shown.trim().split("\n")) expect(line).toMatch(/^(# TYPE [a-z_]+ gauge|[a-z_]+ \d+)$/u);
});

it("is empty while no Envoy answers", async () => {
  expect(await page(`${envoy.adminSocket}.gone`)).toBe("");
});
