import { afterAll, beforeAll, expect, it } from "vitest";
import type { Capture } from "../../agent/kernel/capture.ts";
import { describePrivileged } from "../support/privileges.ts";
import { capturedClient } from "./captured-client.ts";
import type { TestPod, Topology } from "./topology.ts";

const ECONNREFUSED = 111;
/** As a container's process without any capability. */
const UNPRIVILEGED = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];

describePrivileged("sockets by which a captured pod's process could evade capture", () => {
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

  it.each([4, 6])("do not leave by a device to the mesh, over IPv%i", async (family) => {
    const to = family === 4 ? server.ipv4 : server.ipv6;
    const before = capture.counters().outbound_device_bound_refused;
    expect(await net.ask(client, ["odd", "device", to, 8080], UNPRIVILEGED)).toMatchObject({
      ok: false,
      errno: ECONNREFUSED,
    });
    expect(capture.counters().outbound_device_bound_refused).toBe(before + 1n);
  });

  it("do not leave by a device from an IPv6 socket that dials an IPv4 address", async () => {
    const said = await net.ask(client, ["odd", "device", `::ffff:${server.ipv4}`, 8080], UNPRIVILEGED);
    expect(said).toMatchObject({ ok: false, errno: ECONNREFUSED });
  });

  it("may be bound to a device where the mesh has nothing", async () => {
    const said = await net.ask(client, ["odd", "device", server.ipv4, 9090], UNPRIVILEGED);
    expect(said).toMatchObject({ ok: true, server: { by: "app" } });
  });

  it.each(["device_after", "fastopen", "fastopen_connect", "mptcp", "unicast_if"])(
    "reach the proxy or nobody: %s",
    async (way) => {
      for (const to of [server.ipv4, server.ipv6]) {
        const said = await net.ask(client, ["odd", way, to, 8080], UNPRIVILEGED);
        expect(said.server?.by ?? "nobody").not.toBe("app");
      }
    },
  );
});
