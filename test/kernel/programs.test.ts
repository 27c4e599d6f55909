import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Capture, openCapture } from "../../agent/kernel/capture.ts";
import { raw, u32 } from "../../agent/kernel/maps/codecs.ts";
import { getPinned } from "../../agent/kernel/loader/commands.ts";
import { BpfMap } from "../../agent/kernel/loader/maps.ts";
import { describePrivileged } from "../support/privileges.ts";
import { type TestPod, Topology } from "./topology.ts";

describePrivileged("the programs outlive the agent", () => {
  let net: Topology;
  let client: TestPod;
  let server: TestPod;
  let capture: Capture;
  const pods = (waits = false) => [
    { uid: client.uid, netns: client.netns, addresses: [client.ipv4], probePorts: [], waits },
  ];
  const by = async (): Promise<unknown> => {
    const said = await net.ask(client, ["client", server.ipv4, 8080]);
    return (said.server as { readonly by: string }).by;
  };

  beforeAll(async () => {
    net = await new Topology().up();
    client = await net.pod("client", 2);
    server = await net.pod("server", 3);
    capture = openCapture(net);
    await net.serve(net.proxy, "proxy", client.netns);
    await net.serve(server, "app", server.ipv4, 8080);
    capture.setDestinations([{ address: server.ipv4, port: 8080, mode: "http" }]);
    capture.setPods(pods());
  });
  afterAll(() => net.down());

  it("capture without an agent, and are adopted by the next", async () => {
    capture.close();
    expect(await by()).toBe("proxy");
    capture = openCapture(net);
    expect(capture.how).toBe("adopted");
    expect(capture.knownPods()).toEqual({ captured: [client.uid], left: [], waiting: [] });
    expect(await by()).toBe("proxy");
  });

  it("are swapped in place when their object is another, with maps and pods as they are", async () => {
    capture.close();
    const fd = getPinned(join(net.pinDir, "maps/object_hash"));
    expect(fd).toBeDefined();
    new BpfMap(fd ?? -1, u32, raw(32)).set(0, Buffer.alloc(32, 1));
    capture = openCapture(net);
    expect(capture.how).toBe("swapped");
    expect(await by()).toBe("proxy");
    expect(capture.counters().outbound_captured).toBeGreaterThan(0n);
  });

  it("are swapped where an earlier version had fewer maps: those that are missing are made", async () => {
    capture.close();
    const fd = getPinned(join(net.pinDir, "maps/object_hash"));
    new BpfMap(fd ?? -1, u32, raw(32)).set(0, Buffer.alloc(32, 1));
    for (const name of ["mtls_callers", "callers_known_until", "brief_ports"]) rmSync(join(net.pinDir, "maps", name));
    capture = openCapture(net);
    expect(capture.how).toBe("swapped");
    capture.setMtlsCallers([server.ipv4]);
    capture.setBriefPorts([{ address: client.ipv4, port: 8080 }]);
    expect(await by()).toBe("proxy");
  });

  it("let a pod go: its next connection is direct", async () => {
    capture.setPods([]);
    expect(await by()).toBe("app");
    // Set up for deliveries it is not captured yet.
    capture.preparePods(pods());
    expect(capture.knownPods().captured).toEqual([]);
    expect(await by()).toBe("app");
    capture.setPods(pods());
    expect(await by()).toBe("proxy");
  });

  it("keep what is set up for a pod that joins until its listeners stand", () => {
    const { uid, netns, ipv4 } = server;
    capture.preparePods([{ uid, netns, addresses: [ipv4], probePorts: [], waits: false }]);
    capture.sweep();
    expect(capture.knownPods().left).toEqual([uid]);
    capture.preparePods([]);
    capture.sweep();
    expect(capture.knownPods().left).toEqual([]);
  });

  it("leave alone what a pod calls that waits for its certificate, and know it as such", async () => {
    const { uid } = client;
    for (const [wanted, known, answers] of [
      [pods(true), { captured: [uid], left: [], waiting: [uid] }, "app"],
      [pods(), { captured: [uid], left: [], waiting: [] }, "proxy"],
      [pods(true), { captured: [uid], left: [], waiting: [uid] }, "app"],
    ] as const) {
      capture.setPods(wanted);
      expect(capture.knownPods()).toEqual(known);
      expect(await by()).toBe(answers);
    }
    capture.setPods(pods());
  });

  it("leave nothing when capture is removed", () => {
    capture.remove();
    expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(net.pinDir);
  });
});
