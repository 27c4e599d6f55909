import { afterAll, beforeAll, expect, it } from "vitest";
import type { Capture } from "../../agent/kernel/capture.ts";
import { describePrivileged } from "../support/privileges.ts";
import { capturedClient } from "./captured-client.ts";
import type { TestPod, Topology } from "./topology.ts";

describePrivileged("connections of an enrolled pod", () => {
  let net: Topology;
  let client: TestPod;
  let server: TestPod;
  let capture: Capture;

  beforeAll(async () => {
    ({ net, client, server, capture } = await capturedClient());
  });

  afterAll(async () => {
    capture.remove();
    await net.down();
  });

  it("go to the outbound listener over IPv4, and the application does not see it", async () => {
    const said = await net.ask(client, ["client", server.ipv4, 8080]);
    expect(said.peername).toBe(`${server.ipv4}:8080`);
    expect(said.sockname).toMatch(`${client.ipv4}:`);
    expect(said.server).toMatchObject({ by: "proxy", original: `${server.ipv4}:8080`, local: "127.0.0.1:15001" });
  });

  it("go to the outbound listener over IPv6", async () => {
    const said = await net.ask(client, ["client", server.ipv6, 8080]);
    expect(said.peername).toBe(`${server.ipv6}:8080`);
    expect(said.sockname).toMatch(`${client.ipv6}:`);
    expect(said.server).toMatchObject({ by: "proxy", original: `${server.ipv6}:8080`, local: "::1:15002" });
  });

  it("go to the IPv4 listener from an IPv6 socket that dials an IPv4 address", async () => {
    const said = await net.ask(client, ["client", `::ffff:${server.ipv4}`, 8080]);
    expect(said.peername).toBe(`::ffff:${server.ipv4}:8080`);
    expect(said.sockname).toMatch(`::ffff:${client.ipv4}:`);
    expect(said.server).toMatchObject({ by: "proxy", original: `${server.ipv4}:8080`, local: "127.0.0.1:15001" });
  });

  it("go to a Service's address that nobody has", async () => {
    const said = await net.ask(client, ["client", "10.96.0.10", 80]);
    expect(said.peername).toBe("10.96.0.10:80");
    expect(said.server).toMatchObject({ by: "proxy", original: "10.96.0.10:80", local: "127.0.0.1:15003" });
  });

  it("are left alone where the mesh has nothing", async () => {
    const said = await net.ask(client, ["client", server.ipv4, 9090]);
    expect(said.server).toMatchObject({ by: "app", peer: said.sockname });
  });

  it("are captured whatever mark a process with CAP_NET_RAW sets", async () => {
    const wrap = ["setpriv", "--bounding-set=-all,+net_raw", "--inh-caps=-all,+net_raw"];
    for (const mark of [1337, 1338]) {
      const said = await net.ask(client, ["client", server.ipv4, 8080, "-", mark], wrap);
      expect(said.server).toMatchObject({ by: "proxy", original: `${server.ipv4}:8080` });
    }
  });

  it.each(["127.0.0.1", "::1", "0.0.0.0", "::", "::ffff:127.0.0.1", "127.0.0.2"])(
    "are refused when they dial a reserved port at %s themselves",
    async (address) => {
      for (const port of [15001, 15002, 15003, 15006, 15007]) {
        expect(await net.ask(client, ["client", address, port])).toMatchObject({ error: "ConnectionRefusedError" });
      }
    },
  );

  it("are refused when they dial a reserved port at the pod's own address", async () => {
    expect(await net.ask(client, ["client", client.ipv4, 15001])).toMatchObject({ error: "ConnectionRefusedError" });
    expect(await net.ask(client, ["client", client.ipv6, 15006])).toMatchObject({ error: "ConnectionRefusedError" });
  });

  it("cannot get at a listener by a socket of their own on its port", async () => {
    expect(await net.ask(client, ["bind", "0.0.0.0", 15001])).toMatchObject({ ok: false, errno: 98 });
    expect(await net.ask(client, ["bind", "::", 15006])).toMatchObject({ ok: false, errno: 98 });
    expect(await net.ask(client, ["bind", "0.0.0.0", 15010])).toMatchObject({ ok: true });
  });

  it("have no original destination if no program redirected them", async () => {
    const outsider = { netns: client.netns, cgroup: net.cgroup };
    const said = await net.ask(outsider, ["client", "127.0.0.1", 15001]);
    expect(said.server).toMatchObject({ by: "proxy", original: expect.stringMatching(/^errno/) });
  });

  it("are counted", () => {
    expect(capture.counters()).toMatchObject({ outbound_no_memory_refused: 0n, original_destination_unknown: 1n });
    expect(capture.counters().outbound_captured).toBeGreaterThanOrEqual(6n);
    expect(capture.counters().outbound_reserved_port_refused).toBe(32n);
  });
});
