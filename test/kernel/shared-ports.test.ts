import { afterAll, beforeAll, expect, it } from "vitest";
import { type Capture, openCapture } from "../../agent/kernel/capture.ts";
import { describePrivileged } from "../support/privileges.ts";
import type { Peer } from "./process.ts";
import { put, type TestPod, Topology } from "./topology.ts";

const CALLS = 100;
const WORKERS = ["worker 0", "worker 1", "worker 2"];

describePrivileged("a process that shares the inbound listener's port since before its pod joined", () => {
  let net: Topology;
  let caller: TestPod;
  let server: TestPod;
  let capture: Capture;
  let proxy: Peer;

  const takers = async (to: string): Promise<unknown> => (await net.ask(caller, ["takers", to, 8080, CALLS])).takers;

  beforeAll(async () => {
    net = await new Topology().up();
    caller = await net.pod("caller", 2);
    server = await net.pod("server", 3);
    capture = openCapture(net);
    await net.serve(server, "shared", "127.0.0.1", 15006, "::1", 15006, "127.0.0.1", 15001);
    proxy = await net.serve(net.proxy, "workers", server.netns, WORKERS.length);
    put(capture, server, "captured");
  });
  afterAll(async () => {
    capture.remove();
    await net.down();
  });

  it.each([4, 6] as const)(
    "gets no connection over IPv%i, and each of the proxy's workers gets some",
    async (family) => {
      expect(await takers(family === 4 ? server.ipv4 : server.ipv6)).toEqual(WORKERS);
    },
  );

  it("gets none while the proxy is away, and all workers of the next one get some", async () => {
    await proxy.end();
    expect(await net.ask(caller, ["client", server.ipv4, 8080])).toMatchObject({ error: "ConnectionRefusedError" });
    proxy = await net.serve(net.proxy, "workers", server.netns, WORKERS.length);
    expect(await takers(server.ipv4)).toEqual(WORKERS);
  });
});
