import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Capture, openCapture } from "../../agent/kernel/capture.ts";
import { getPinned } from "../../agent/kernel/loader/bpf-commands.ts";
import { BpfMap, raw, u32, u64 } from "../../agent/kernel/loader/bpf-map.ts";
import { address } from "../../agent/kernel/maps/address.ts";
import type { CounterName } from "../../agent/kernel/maps/counters.ts";
import { DELIVERY_MARK } from "../../agent/lib/ports.ts";
import { describePrivileged } from "../support/privileges.ts";
import type { Line, Peer } from "./process.ts";
import { put, type TestPod, Topology } from "./topology.ts";

const PORT = 8080;
const PROBED = 9090;
const ECONNREFUSED = 111;

describePrivileged("a connection to a captured pod whose inbound listener is missing", () => {
  let net: Topology;
  let caller: TestPod;
  let server: TestPod;
  let capture: Capture;

  const addresses = (): readonly string[] => [server.ipv4, server.ipv6];
  const counted = (name: CounterName): bigint => capture.counters()[name];
  const map = (name: string): number => {
    const fd = getPinned(join(net.pinDir, "maps", name));
    if (fd === undefined) throw new Error(`no map ${name}`);
    return fd;
  };
  /** Fills a map to its end; its new entries. */
  const fill = (name: string): readonly [BpfMap<Buffer, Buffer>, readonly Buffer[]] => {
    const [keySize, valueSize] = name === "pods" ? [8, 32] : [16, 8];
    const full = new BpfMap(map(name), raw(keySize), raw(valueSize));
    const entries: Buffer[] = [];
    for (let index = 1; index <= 20_000; index++) {
      const key = Buffer.alloc(keySize, 0xee);
      key.writeUInt32LE(index);
      try {
        full.set(key, Buffer.alloc(valueSize));
      } catch {
        return [full, entries];
      }
      entries.push(key);
    }
    throw new Error(`the map ${name} takes more than 20,000 entries`);
  };
  const dial = (to: string, seconds: number): Peer => net.start(caller, ["client", to, PORT, "-", 0, seconds]);
  const refused = async (): Promise<void> => {
    for (const each of addresses()) {
      const before = performance.now();
      expect(await net.ask(caller, ["client", each, PORT])).toMatchObject({ ok: false, errno: ECONNREFUSED });
      // Most of it is the start of the client.
      expect(performance.now() - before).toBeLessThan(2_000);
    }
  };

  beforeAll(async () => {
    net = await new Topology().up();
    caller = await net.pod("caller", 2);
    server = await net.pod("server", 3);
    capture = openCapture(net);
    await net.serve(server, "app", ...addresses().flatMap((each) => [each, PORT, each, PROBED]));
  });
  afterAll(async () => {
    capture.remove();
    await net.down();
  });

  it("is dropped while the pod joins, and gets through once the listener stands", async () => {
    put(capture, server, "guarded", [PROBED]);
    const dropped = counted("inbound_joining_dropped");
    const callers = addresses().map((each) => dial(each, 30));
    const answers: Line[] = [];
    const lines = callers.map(async (each) => answers.push(await each.line()));
    // The first SYN of each, and one that was sent again.
    await expect
      .poll(() => counted("inbound_joining_dropped") - dropped, { timeout: 20_000 })
      .toBeGreaterThanOrEqual(4n);
    expect(answers).toEqual([]);
    const proxy = await net.serve(net.proxy, "proxy", server.netns);
    await Promise.all(lines);
    expect(answers.map((line) => line.server)).toEqual(
      expect.arrayContaining(
        addresses().map((each) => expect.objectContaining({ by: "proxy", local: `${each}:${PORT}` })),
      ),
    );
    await Promise.all([...callers, proxy].map((peer) => peer.end()));
  });

  it("does not concern deliveries and the kubelet's probes", async () => {
    for (const [to, source] of [
      [server.ipv4, caller.ipv4],
      [server.ipv6, caller.ipv6],
    ] as const) {
      const delivered = ["deliver", server.netns, to, PORT, source, DELIVERY_MARK];
      expect((await net.ask(net.proxy, delivered)).server).toMatchObject({ by: "app", peer: expect.any(String) });
      expect((await net.ask(net.kubelet, ["client", to, PROBED])).server).toMatchObject({ by: "app" });
    }
  });

  it("is refused at once where capture is lost later", async () => {
    put(capture, server, "captured", [PROBED]);
    const before = counted("inbound_no_listener_dropped");
    await refused();
    expect(counted("inbound_no_listener_dropped") - before).toBe(2n);
  });

  it("is refused where no agent is there to bring the listener", async () => {
    put(capture, server, "guarded");
    expect(await net.ask(caller, ["client", server.ipv4, PORT])).toMatchObject({ ok: false, error: "TimeoutError" });
    capture.close();
    await refused();
    capture = openCapture(net);
    expect(await net.ask(caller, ["client", server.ipv6, PORT])).toMatchObject({ ok: false, error: "TimeoutError" });
  });

  it("is refused where the kernel has no entry of the pod, or one that it does not know; probes pass", async () => {
    put(capture, server, "guarded", [PROBED]);
    const silent = new BpfMap(map("silent_pods"), u64, u32);
    const cookie = BigInt(capture.sandboxOf(server.uid, server.netns).cookie);
    silent.set(cookie, 77);
    await refused();
    silent.delete(cookie);
    await refused();
    expect((await net.ask(net.kubelet, ["client", server.ipv4, PROBED])).server).toMatchObject({ by: "app" });
    const known = new BpfMap(map("pod_addresses"), address, u64);
    for (const each of addresses()) known.delete(each);
    await refused();
    expect((await net.ask(net.kubelet, ["client", server.ipv4, PROBED])).server).toMatchObject({ by: "app" });
    for (const each of addresses()) known.set(each, cookie);
  });

  it("reaches the application where availability is preferred", async () => {
    put(capture, server, "captured", [], { missing: "open" });
    for (const each of addresses()) {
      expect((await net.ask(caller, ["client", each, PORT])).server).toMatchObject({ by: "app" });
    }
  });

  it.each(["pods", "pod_addresses"])("is refused where the map %s is full, and probes pass", async (name) => {
    capture.forget(capture.sandboxOf(server.uid, server.netns));
    const [full, entries] = fill(name);
    expect(() => put(capture, server, "captured", [PROBED], { otherwise: "refuse" })).toThrow(
      expect.objectContaining({ code: "pod-not-captured", remedy: expect.stringContaining("are refused") }),
    );
    expect(capture.captures(capture.sandboxOf(server.uid, server.netns))).toBe(true);
    await refused();
    for (const each of addresses()) {
      expect((await net.ask(net.kubelet, ["client", each, PROBED])).server).toMatchObject({ by: "app" });
    }
    // A pod that nothing protects is left open.
    expect(() => put(capture, server, "captured")).toThrow(expect.objectContaining({ code: "pod-not-captured" }));
    expect((await net.ask(caller, ["client", server.ipv4, PORT])).server).toMatchObject({ by: "app" });
    full.deleteAll(entries);
    put(capture, server, "captured", [], { otherwise: "refuse" });
    await refused();
  });

  it("reaches the application again once the pod is outside", async () => {
    put(capture, server, "outside");
    for (const each of addresses()) {
      expect((await net.ask(caller, ["client", each, PORT])).server).toMatchObject({ by: "app" });
    }
    expect(capture.sweep()).toBe(0);
    expect(capture.known()).toEqual([]);
  });
});
