import { afterAll, beforeAll, expect, it } from "vitest";
import { type Capture, openCapture } from "../../agent/kernel/capture.ts";
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
  const dial = (address: string, seconds: number): Peer =>
    net.start(caller, ["client", address, PORT, "-", 0, seconds]);
  const refused = async (): Promise<void> => {
    for (const address of addresses()) {
      const before = performance.now();
      expect(await net.ask(caller, ["client", address, PORT])).toMatchObject({ ok: false, errno: ECONNREFUSED });
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
    const callers = addresses().map((address) => dial(address, 30));
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
    for (const [address, source] of [
      [server.ipv4, caller.ipv4],
      [server.ipv6, caller.ipv6],
    ] as const) {
      const delivered = ["deliver", server.netns, address, PORT, source, DELIVERY_MARK];
      expect((await net.ask(net.proxy, delivered)).server).toMatchObject({ by: "app", peer: expect.any(String) });
      expect((await net.ask(net.kubelet, ["client", address, PROBED])).server).toMatchObject({ by: "app" });
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

  it("reaches the application again once the pod is outside", async () => {
    put(capture, server, "outside");
    for (const address of addresses()) {
      expect((await net.ask(caller, ["client", address, PORT])).server).toMatchObject({ by: "app" });
    }
    expect(capture.sweep()).toBe(0);
    expect(capture.known()).toEqual([]);
  });
});
