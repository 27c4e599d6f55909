import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Capture, openCapture } from "../../agent/kernel/capture.ts";
import { getPinned } from "../../agent/kernel/loader/bpf-commands.ts";
import { BpfMap, raw, u32 } from "../../agent/kernel/loader/bpf-map.ts";
import { describePrivileged } from "../support/privileges.ts";
import { put, type TestPod, Topology } from "./topology.ts";

describePrivileged("the programs outlive the agent", () => {
  let net: Topology;
  let client: TestPod;
  let server: TestPod;
  let capture: Capture;
  const known = (): Record<string, string> =>
    Object.fromEntries(capture.known().map(({ sandbox, phase }) => [sandbox.uid, phase]));
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
    put(capture, client, "captured");
  });
  afterAll(() => net.down());

  it("capture without an agent, and are adopted by the next", async () => {
    capture.close();
    expect(await by()).toBe("proxy");
    capture = openCapture(net);
    expect(capture.how).toBe("adopted");
    const { uid, netns } = client;
    expect(capture.known()).toEqual([
      { sandbox: capture.sandboxOf(uid, netns), phase: "captured", inbound: "captured" },
    ]);
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
    put(capture, client, "left");
    expect(await by()).toBe("app");
    // The proxy still has listeners in it, for connections that may be open.
    expect(capture.sweep()).toBe(1);
    // Set up for deliveries it is not captured yet.
    put(capture, client, "joining");
    expect(known()).toEqual({ [client.uid]: "joining" });
    expect(await by()).toBe("app");
    put(capture, client, "captured");
    expect(await by()).toBe("proxy");
  });

  it("keep what is set up for a pod that joins until its listeners stand", () => {
    put(capture, server, "joining");
    capture.sweep();
    expect(known()[server.uid]).toBe("joining");
    put(capture, server, "outside");
    capture.sweep();
    expect(known()[server.uid]).toBe(undefined);
  });

  it("leave alone what a pod calls that waits for its certificate, and know it as such", async () => {
    for (const [phase, answers] of [
      ["guarded", "app"],
      ["captured", "proxy"],
      ["guarded", "app"],
    ] as const) {
      put(capture, client, phase);
      expect(known()).toEqual({ [client.uid]: phase });
      expect(await by()).toBe(answers);
    }
    put(capture, client, "captured");
  });

  it("leave nothing when capture is removed", () => {
    capture.remove();
    expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(net.pinDir);
  });
});
