import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Capture, openCapture } from "../../agent/kernel/capture.ts";
import { address } from "../../agent/kernel/maps/address.ts";
import { getPinned } from "../../agent/kernel/loader/bpf-commands.ts";
import { BpfMap, u32, u64 } from "../../agent/kernel/loader/bpf-map.ts";
import { LINGER_MS, MtlsCallers } from "../../agent/kernel/maps/mtls-callers.ts";
import { describePrivileged } from "../support/privileges.ts";
import type { Peer } from "./process.ts";
import { put, type TestPod, Topology } from "./topology.ts";

const FIRST = 3306;
const OTHER = 8080;

describePrivileged("which of its pod's inbound listeners takes a connection", () => {
  let net: Topology;
  let caller: TestPod;
  let server: TestPod;
  let capture: Capture;
  let brief: Peer;

  const map = (name: string): number => {
    const fd = getPinned(join(net.pinDir, "maps", name));
    if (fd === undefined) throw new Error(`no map ${name}`);
    return fd;
  };
  /** By both families. */
  const taken = async (port: number): Promise<readonly string[]> => {
    const each: string[] = [];
    for (const to of [server.ipv4, server.ipv6]) {
      const before = capture.counters();
      const said = await net.ask(caller, ["client", to, port]);
      expect(said.server).toMatchObject({ by: "proxy", local: `${to}:${port}` });
      const after = capture.counters();
      if (after.inbound_captured > before.inbound_captured) each.push("patient");
      if (after.inbound_captured_briefly > before.inbound_captured_briefly) each.push("brief");
    }
    return each;
  };
  const PATIENT = ["patient", "patient"];
  const BRIEF = ["brief", "brief"];
  const ports = (): { address: string; port: number }[] =>
    [server.ipv4, server.ipv6].map((each) => ({ address: each, port: FIRST }));

  beforeAll(async () => {
    net = await new Topology().up();
    caller = await net.pod("caller", 2);
    server = await net.pod("server", 3);
    capture = openCapture(net);
    await net.serve(net.proxy, "proxy", server.netns);
    brief = await net.serve(net.proxy, "brief", server.netns);
    put(capture, server, "captured");
  });
  afterAll(async () => {
    capture.remove();
    await net.down();
  });

  it("is the patient one before the agent has said who may speak mTLS", async () => {
    capture.setBriefPorts(ports());
    expect(await taken(FIRST)).toEqual(PATIENT);
  });

  it("is the brief one where a server may speak first, for who cannot speak mTLS", async () => {
    capture.setMtlsCallers(["10.77.0.9"]);
    expect(await taken(FIRST)).toEqual(BRIEF);
    expect(await taken(OTHER)).toEqual(PATIENT);
    capture.setMtlsCallers([caller.ipv4, caller.ipv6]);
    expect(await taken(FIRST)).toEqual(PATIENT);
  });

  it("is the patient one for a while for who has left, which the next agent does not cut short", async () => {
    let now = 0;
    const fds = [map("mtls_callers"), map("callers_known_until")] as const;
    const next = new MtlsCallers(...fds, { now: () => now });
    next.set([caller.ipv6]);
    now = LINGER_MS - 1;
    next.sweep();
    expect(await taken(FIRST)).toEqual(PATIENT);
    now = LINGER_MS;
    next.sweep();
    expect(await taken(FIRST)).toEqual(["brief", "patient"]);
    next.set([]);
    now = 2 * LINGER_MS;
    next.set([caller.ipv4]);
    next.sweep();
    expect(await taken(FIRST)).toEqual(["patient", "brief"]);
    expect([...new BpfMap(fds[0], address, u32).entries()]).toEqual([[caller.ipv4, 1]]);
    next.set([]);
    now = 3 * LINGER_MS;
    next.sweep();
    expect(await taken(FIRST)).toEqual(BRIEF);
  });

  it("is the patient one once no agent has vouched for its callers for long", async () => {
    const until = new BpfMap(map("callers_known_until"), u32, u64);
    until.set(0, process.hrtime.bigint());
    expect(await taken(FIRST)).toEqual(PATIENT);
    capture.sweep();
    expect(await taken(FIRST)).toEqual(BRIEF);
  });

  it("is the patient one for ports that have been taken back", async () => {
    const [ipv4, ipv6] = ports();
    if (ipv4 === undefined || ipv6 === undefined) throw new Error("no ports");
    capture.narrowBriefPorts([ipv6, { address: ipv4.address, port: OTHER }]);
    expect(await taken(FIRST)).toEqual(["patient", "brief"]);
    expect(await taken(OTHER)).toEqual(PATIENT);
    capture.setBriefPorts(ports());
    expect(await taken(FIRST)).toEqual(BRIEF);
  });

  it("is the patient one as soon as there is no brief one", async () => {
    await brief.end();
    expect(await taken(FIRST)).toEqual(PATIENT);
  });
});
