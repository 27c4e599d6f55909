import { describe, expect, it } from "vitest";
import { toldTo } from "../../agent/compile/filters/filter-extensions.ts";
import { peerString } from "../../agent/compile/filters/peer-string.ts";
import type { Mesh } from "../../agent/model/mesh.ts";
import { spiffeIdOf } from "../../agent/model/spiffe-id.ts";
import { CHAIN } from "../filters/chain.ts";
import { compiled } from "../golden/golden-options.ts";
import type { StreamFacts } from "../host/stream.ts";
import { WasmHost } from "../host/wasm-host.ts";
import type { Caller } from "./case.ts";
import { CASES } from "./cases.ts";
import { ADDRESSES, meshOf } from "./world.ts";

function webPeer(mesh: Mesh): string {
  const web = mesh.workloads.find(({ meta }) => meta.name === "web");
  return web === undefined ? "" : peerString(web, "cluster.local");
}

/** A connection to web's port 9000, as it comes to `local_guard`: from the same node, or by mTLS from another. */
function facts(mesh: Mesh, source: Caller, by: "listener" | "certificate"): StreamFacts {
  const found = mesh.workloads.find(({ meta }) => meta.name === source);
  const known = found !== undefined && source !== "stranger";
  const listener = known ? peerString(found, "cluster.local") : "";
  const certificate = known ? `${spiffeIdOf("cluster.local", found)}|${ADDRESSES[source]}` : "";
  return {
    properties: {
      "destination/address": `${ADDRESSES.web}:9000`,
      "filter_state/ambit.destination": webPeer(mesh),
      "filter_state/ambit.local_port": "9000",
      "filter_state/ambit.peer_ip": ADDRESSES[source],
      "filter_state/ambit.source": by === "listener" ? listener : certificate,
    },
  };
}

describe("the guard of connections", () => {
  for (const subject of CASES) {
    const { call, name, verdict } = subject;
    if (call.protocol !== "tcp") continue;
    it(`${name}: ${verdict}`, async () => {
      const mesh = await meshOf(subject);
      const { filters } = compiled(mesh);
      for (const by of ["listener", "certificate"] as const) {
        const wasm = new WasmHost(CHAIN);
        expect(wasm.configure("guard", toldTo("guard", filters))).toBe(true);
        const connection = wasm.connection(facts(mesh, call.from ?? "alice", by));
        expect(connection.isClosed ? "denied" : "allowed").toBe(verdict);
      }
    });
  }

  it("closes open connections that a changed policy does not allow any more", async () => {
    const [before, after] = ["TCP by principal", "TCP by namespace"].map((name) => {
      const found = CASES.find((subject) => subject.name === name);
      if (found === undefined) throw new Error(name);
      return found;
    });
    if (before === undefined || after === undefined) return;
    const mesh = await meshOf(before);
    const wasm = new WasmHost(CHAIN);
    wasm.configure("guard", toldTo("guard", compiled(mesh).filters));
    const connection = wasm.connection(facts(mesh, "alice", "certificate"));
    wasm.tick();
    expect(connection.isClosed).toBe(false);
    wasm.configure("guard", toldTo("guard", compiled(await meshOf(after)).filters));
    wasm.tick();
    expect(connection.isClosed).toBe(true);
  });

  it("leaves alone what is in its handshake yet when policies change", async () => {
    const subject = CASES.find(({ name }) => name === "TCP by principal");
    if (subject === undefined) throw new Error("no such case");
    const wasm = new WasmHost(CHAIN);
    const { filters } = compiled(await meshOf(subject));
    wasm.configure("inbound-tcp", toldTo("inboundTcp", filters));
    const arriving = wasm.connection({
      properties: { "filter_state/ambit.destination": webPeer(await meshOf(subject)) },
    });
    wasm.configure("guard", toldTo("guard", filters));
    wasm.tick();
    expect(arriving.isClosed).toBe(false);
  });
});
