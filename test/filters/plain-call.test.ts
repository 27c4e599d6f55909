import { expect, it } from "vitest";
import { istioSeries, samples } from "./istio-series.ts";
import type { PlaceConfig } from "../../agent/compile/filters/filter-extensions.ts";
import type { Stream } from "../host/stream.ts";
import { WasmHost } from "../host/wasm-host.ts";
import { CHAIN, EMPTY, operation, peer, source } from "./chain.ts";

// Most calls: dialled, allowed, and answered without an error.

const ALICE = source({ principals: ["cluster.local/ns/shop/sa/alice"] });
const ITEMS = operation({ methods: ["GET"], paths: ["/items*"] });
const POLICY = { action: "ALLOW", dryRun: false, alwaysDeny: false } as const;
const CONFIG: PlaceConfig = {
  ...EMPTY,
  policySets: [
    {
      id: "alice",
      policies: [{ ...POLICY, name: "shop/alice", rules: [{ from: [ALICE], to: [ITEMS], when: [] }] }],
      jwtRules: [],
    },
    { id: "nobody", policies: [{ ...POLICY, name: "shop/nobody", alwaysDeny: true, rules: [] }], jwtRules: [] },
  ],
  clusters: [
    { name: "10.96.0.10:80", policySet: "alice", port: 8080 },
    { name: "outbound|80||other.shop.svc.cluster.local", policySet: "nobody", port: 8080 },
  ],
};
const RESPONSE = { ":status": "200", "content-type": "text/plain" };

function host(): WasmHost {
  const wasm = new WasmHost(CHAIN);
  expect(wasm.configure("outbound", CONFIG)).toBe(true);
  return wasm;
}

function ask(wasm: WasmHost, from = "alice", cluster = "10.96.0.10:80"): Stream {
  return wasm.request({
    headers: {
      ":authority": "web",
      ":path": "/items/1",
      ":method": "GET",
      "x-ambit-source": peer(from),
      "x-ambit-original-dst": "10.96.0.10:80",
    },
    properties: {
      "xds/cluster_name": cluster,
      "xds/cluster_metadata/filter_metadata/ambit/service": "web|shop|web.shop.svc.cluster.local",
    },
  });
}

function end(wasm: WasmHost, stream: Stream): void {
  wasm.end(stream, { "xds/upstream_host_metadata/filter_metadata/ambit/peer": `${peer("web")}|near` });
}

function plainCall(wasm: WasmHost): void {
  const stream = ask(wasm);
  expect(stream.answer).toBeUndefined();
  wasm.now += 30;
  wasm.respond(stream, RESPONSE, 1000, 500);
  end(wasm, stream);
}

it("asks the host five times, and for one property only", () => {
  const wasm = host();
  plainCall(wasm);
  wasm.calls.length = 0;
  plainCall(wasm);
  expect(wasm.calls).toEqual([
    "proxy_get_header_map_pairs",
    "proxy_get_current_time_nanoseconds",
    "proxy_get_header_map_pairs",
    "proxy_get_current_time_nanoseconds",
    "proxy_get_property",
  ]);
});

it("knows the same of it as Envoy's properties would say", () => {
  const wasm = host();
  plainCall(wasm);
  wasm.tick();
  const { series } = istioSeries(wasm.metrics.map(({ name, value }) => [`wasmcustom.${name}`, value] as const));
  const [only] = series;
  expect(series).toHaveLength(1);
  expect(Object.fromEntries(only?.labels ?? [])).toMatchObject({
    reporter: "both",
    source_workload: "alice",
    destination_workload: "web",
    destination_service_name: "web",
    response_code: "200",
    response_flags: "-",
  });
  const sums = [...samples(only ?? { kind: "http", labels: [], figures: new Map() })]
    .filter(({ suffix }) => suffix === "_sum")
    .map(({ value }) => value);
  const bytes = (headers: Readonly<Record<string, string>>): number => Object.entries(headers).flat().join("").length;
  const request = bytes({ ":authority": "web", ":path": "/items/1", ":method": "GET" });
  expect(sums).toEqual([30, request, bytes(RESPONSE) + 1500]);
});

it.each([{ ":status": "204" }, { ":status": "304", etag: "x" }, { ":status": "201", "content-length": "0" }])(
  "is whole without a body where none can follow: %o",
  (response) => {
    const wasm = host();
    const stream = ask(wasm);
    wasm.now += 30;
    wasm.respond(stream, response);
    wasm.calls.length = 0;
    end(wasm, stream);
    expect(wasm.calls.filter((call) => call !== "proxy_get_property")).toEqual([
      "proxy_get_header_map_pairs",
      "proxy_get_current_time_nanoseconds",
    ]);
    wasm.tick();
    const sum = wasm.metrics.find(({ name }) => name.endsWith(".response_sum"))?.value;
    expect(sum).toBe(Object.entries(response).flat().join("").length);
  },
);

it("is asked of Envoy where a body should have followed", () => {
  const wasm = host();
  const stream = ask(wasm);
  wasm.respond(stream, { ":status": "200", "content-length": "10" });
  wasm.end(stream, { "response/code": 0, "response/flags": 16_384, "response/total_size": 7 });
  wasm.tick();
  const sum = wasm.metrics.find(({ name }) => name.endsWith(".response_sum"));
  expect(sum?.name).toContain("response_flags=DC");
  expect(sum?.value).toBe(7);
});

it("is judged by who calls", () => {
  expect(ask(host(), "bob").answer?.status).toBe(403);
});

it("is judged by the cluster that Envoy has chosen, whatever was dialled", () => {
  const wasm = host();
  expect(ask(wasm, "alice", "outbound|80||other.shop.svc.cluster.local").answer?.details).toBe(
    "ambit_denied:shop/nobody",
  );
  expect(ask(wasm).answer).toBeUndefined();
  wasm.tick();
  expect(ask(wasm, "alice", "outbound|80||other.shop.svc.cluster.local").answer?.status).toBe(403);
});

it("counts a request's body, too", () => {
  const wasm = host();
  const stream = ask(wasm);
  wasm.send(stream, 100_000);
  wasm.respond(stream, RESPONSE, 1);
  end(wasm, stream);
  wasm.tick();
  const sum = wasm.metrics.find(({ name }) => name.endsWith(".request_sum"))?.value ?? 0;
  expect(sum).toBeGreaterThan(100_000);
});

it("is refused where nothing is configured", () => {
  const wasm = new WasmHost(CHAIN);
  expect(wasm.configure("outbound", "nonsense")).toBe(false);
  expect(ask(wasm).answer?.status).toBe(503);
});
