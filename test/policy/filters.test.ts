import { describe, expect, it } from "vitest";
import type { FilterConfig } from "../../agent/compile/filters/filter-config.ts";
import { toldTo } from "../../agent/compile/filters/filter-extensions.ts";
import { spiffeIdOf } from "../../agent/model/spiffe-id.ts";
import { peerString } from "../../agent/compile/filters/peer-string.ts";
import type { Mesh } from "../../agent/model/mesh.ts";
import { CHAIN } from "../filters/chain.ts";
import { compiled } from "../golden/golden-options.ts";
import type { Stream } from "../host/stream.ts";
import { WasmHost } from "../host/wasm-host.ts";
import type { AuthzCase, CaseCall } from "./case.ts";
import { CASES } from "./cases.ts";
import { bearer } from "./tokens.ts";
import { ADDRESSES, meshOf, WEB_CLUSTER } from "./world.ts";

const VERDICTS: Readonly<Record<number, AuthzCase["verdict"]>> = { 0: "allowed", 400: "malformed", 403: "denied" };

/** As Envoy has them: names in lower case. */
function headersOf({ method = "GET", path = "/", host = "web.shop", headers = [], claims }: CaseCall) {
  const own = headers.map(([name, value]) => [name.toLowerCase(), value] as const);
  return [[":method", method], [":path", path], [":authority", host], ...own, ...bearer(claims)] as const;
}

function verdictOf({ answer }: Stream): AuthzCase["verdict"] | undefined {
  if (answer?.status === 403) expect(answer.body).toBe("RBAC: access denied");
  return VERDICTS[answer?.status ?? 0];
}

function peerOf(mesh: Mesh, name: string): string {
  const found = mesh.workloads.find(({ meta }) => meta.name === name);
  return found === undefined ? "" : peerString(found, "cluster.local");
}

/** The pass in which the caller's node takes the call; undefined where it does not, or leaves the decision to the destination. */
function outbound(filters: FilterConfig, mesh: Mesh, call: CaseCall): AuthzCase["verdict"] | undefined {
  if (call.from === "stranger" || call.direct === true) return undefined;
  if (!filters.clusters.some(({ name }) => name === WEB_CLUSTER)) return undefined;
  const wasm = new WasmHost(CHAIN);
  wasm.now = Date.now();
  expect(wasm.configure("outbound", toldTo("outbound", filters))).toBe(true);
  const stream = wasm.request({
    headers: headersOf(call),
    properties: {
      "xds/cluster_name": WEB_CLUSTER,
      "filter_state/ambit.source": peerOf(mesh, call.from ?? "alice"),
      "filter_state/ambit.peer_ip": ADDRESSES[call.from ?? "alice"],
    },
  });
  return verdictOf(stream);
}

/** The pass at the destination's own listener. */
function inbound(filters: FilterConfig, mesh: Mesh, call: CaseCall): AuthzCase["verdict"] | undefined {
  const wasm = new WasmHost(CHAIN);
  wasm.now = Date.now();
  expect(wasm.configure("inbound", toldTo("inbound", filters))).toBe(true);
  const source = call.from ?? "alice";
  const found = mesh.workloads.find(({ meta }) => meta.name === source);
  const caller =
    source === "stranger" || found === undefined ? "-" : `${spiffeIdOf("cluster.local", found)}|${ADDRESSES[source]}`;
  const stream = wasm.request({
    headers: [...headersOf(call), ["x-ambit-source", caller], ["x-ambit-destination", peerOf(mesh, "web")]],
    properties: {
      "destination/address": `${ADDRESSES.web}:8080`,
      "filter_state/ambit.local_port": "8080",
      "filter_state/ambit.peer_ip": ADDRESSES[source],
    },
  });
  return verdictOf(stream);
}

describe("the filters", () => {
  for (const subject of CASES) {
    const { call } = subject;
    if (call.protocol === "tcp") continue;
    it(`${subject.name}: ${subject.verdict}`, async () => {
      const mesh = await meshOf(subject);
      const { filters } = compiled(mesh);
      expect(inbound(filters, mesh, call)).toBe(subject.verdict);
      expect([subject.verdict, undefined]).toContain(outbound(filters, mesh, call));
    });
  }
});
