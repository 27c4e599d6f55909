import { statSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createLogger } from "../../agent/lib/log.ts";
import { AdsServer } from "../../agent/envoy/ads/ads-server.ts";
import { EMPTY_SNAPSHOT, type XdsSnapshot } from "../../agent/xds/snapshot.ts";
import { eventually } from "../support/eventually.ts";
import { fetchText, freePort, TestEnvoy, upstream } from "./envoy.ts";
import { byName, cluster, endpoints, listener, routes } from "./mesh-resources.ts";

const log = createLogger("test", "silent");
let envoy: TestEnvoy;
let ads: AdsServer;
let closing: (() => void)[];

beforeEach(async () => {
  closing = [];
  envoy = new TestEnvoy();
  ads = new AdsServer(log, () => Promise.resolve(new Set()));
  await ads.start(envoy.adsSocket);
  ads.publish(EMPTY_SNAPSHOT);
  await envoy.start();
});

afterEach(async () => {
  ads.close();
  await envoy.stop();
  for (const close of closing) close();
});

async function serving(body: string): Promise<number> {
  const { port, server } = await upstream(body);
  closing.push(() => server.close());
  return port;
}

async function service(name: string): Promise<{ readonly port: number; readonly snapshot: XdsSnapshot }> {
  const port = await freePort();
  const snapshot: XdsSnapshot = {
    ...EMPTY_SNAPSHOT,
    clusters: byName([name, cluster(name)]),
    endpoints: byName([name, endpoints(name, await serving(name))]),
    listeners: byName(["in", listener("in", port, "table")]),
    routes: byName(["table", routes("table", name)]),
  };
  return { port, snapshot };
}

/** Once Envoy has answered for everything: it opens a new listener's socket within its next turn. */
async function answers(port: number, expected: string): Promise<void> {
  await eventually(async () => expect(await fetchText(port)).toBe(expected));
}

describe("the ADS server with a real Envoy", () => {
  it("makes an Envoy ready for which there is nothing to do", async () => {
    await eventually(async () => expect(await envoy.ready()).toBe(true));
    expect(statSync(envoy.adsSocket).mode & 0o777).toBe(0o600);
  });

  it("replaces a cluster whose endpoints stay, and moves a route to another cluster without an error", async () => {
    const { port, snapshot } = await service("one");
    await ads.publish(snapshot).converged;
    await answers(port, "200 one");
    // Envoy warms a changed cluster until it hears of its endpoints again.
    await ads.publish({ ...snapshot, clusters: byName(["one", cluster("one", 2_000)]) }).converged;
    expect(await envoy.statistic("cluster_manager.warming_clusters")).toBe(0);
    expect(await fetchText(port)).toBe("200 one");

    const seen = new Set<string>([await fetchText(port)]);
    let moved = false;
    const load = (async () => {
      while (!moved || !seen.has("200 two")) seen.add(await fetchText(port));
    })();
    await ads.publish({
      ...snapshot,
      clusters: byName(["two", cluster("two")]),
      endpoints: byName(["two", endpoints("two", await serving("two"))]),
      routes: byName(["table", routes("table", "two")]),
    }).converged;
    moved = true;
    await load;
    expect([...seen].toSorted()).toEqual(["200 one", "200 two"]);
    // Once the worker has let go of it.
    await eventually(async () => expect(await envoy.statistic("cluster.one.membership_total")).toBeNaN());
  });

  it("shows what Envoy refuses, and applies the rest", async () => {
    const { port, snapshot } = await service("one");
    const listeners = byName(...snapshot.listeners, ["bad", listener("bad", 80, "table", "not-an-address")]);
    await ads.publish({ ...snapshot, listeners }).converged;
    expect(ads.status().rejections).toMatchObject([{ kind: "listeners", name: "bad" }]);
    expect(ads.status().rejections[0]?.message).toContain("not-an-address");
    await answers(port, "200 one");
    await ads.publish(snapshot).converged;
    expect(ads.status().rejections).toEqual([]);
  });

  it("gives a new Envoy the version that was accepted last of what is refused", async () => {
    const { port, snapshot } = await service("one");
    await ads.publish(snapshot).converged;
    await answers(port, "200 one");
    const listeners = byName(["in", listener("in", port, "table", "not-an-address")]);
    await ads.publish({ ...snapshot, listeners }).converged;
    await answers(port, "200 one");
    await envoy.kill();
    await eventually(() => expect(ads.status().connected).toBe(false));
    await envoy.start();
    await answers(port, "200 one");
    expect(ads.status().rejections).toMatchObject([
      { kind: "listeners", name: "in", time: expect.stringMatching(/Z$/u) },
    ]);
  });

  it("sends nothing to an Envoy that it finds after a restart, and goes on serving it", async () => {
    const { port, snapshot } = await service("one");
    await ads.publish(snapshot).converged;
    await answers(port, "200 one");
    ads.close();
    await eventually(async () => expect(await envoy.statistic("control_plane.connected_state")).toBe(0));
    expect(await fetchText(port)).toBe("200 one");
    ads = new AdsServer(log, () => Promise.resolve(new Set()));
    await ads.start(envoy.adsSocket);
    await ads.publish(snapshot).converged;
    expect(ads.status()).toMatchObject({ connected: true, pushes: 0 });
    await ads.publish({ ...snapshot, endpoints: byName(["one", endpoints("one", await serving("moved"))]) }).converged;
    await answers(port, "200 moved");
  });
});
