import { expect, it } from "vitest";
import { istioSeries, samples } from "./istio-series.ts";
import type { Stream } from "../host/stream.ts";
import { WasmHost } from "../host/wasm-host.ts";
import { CHAIN, EMPTY, peer } from "./chain.ts";

// A gRPC server ends its answer with trailers, which say how the call went.

const REQUEST = {
  ":authority": "pricing",
  ":path": "/shop.Pricing/Price",
  ":method": "POST",
  "content-type": "application/grpc",
};
const RESPONSE = { ":status": "200", "content-type": "application/grpc" };
const ENVOY_SAYS = {
  "response/code": 200,
  "response/flags": 0,
  "request/duration": 12_000_000,
  "request/total_size": 1,
  "response/total_size": 1,
  "xds/upstream_host_metadata/filter_metadata/ambit/peer": `${peer("web")}|near`,
};

function host(): WasmHost {
  const wasm = new WasmHost(CHAIN);
  expect(wasm.configure("outbound", EMPTY)).toBe(true);
  return wasm;
}

function ask(wasm: WasmHost): Stream {
  const stream = wasm.request({
    headers: { ...REQUEST, "x-ambit-source": peer("alice"), "x-ambit-original-dst": "10.96.0.10:80" },
    properties: {
      "xds/cluster_name": "10.96.0.10:80",
      "xds/cluster_metadata/filter_metadata/ambit/service": "web|shop|web.shop.svc.cluster.local",
    },
    hasBody: true,
  });
  wasm.send(stream, 40);
  return stream;
}

function call(wasm: WasmHost, trailers: Readonly<Record<string, string>>): void {
  const stream = ask(wasm);
  wasm.now += 30;
  wasm.respondWithTrailers(stream, RESPONSE, trailers, 60);
  wasm.end(stream, { ...ENVOY_SAYS, "response/grpc_status": 2 });
}

function bytes(...headers: readonly Readonly<Record<string, string>>[]): number {
  return headers.flatMap((each) => Object.entries(each).flat()).join("").length;
}

/** What the metrics page would show of all calls: the gRPC status, and sums of milliseconds, request and response bytes. */
function told(wasm: WasmHost): { readonly status: string | undefined; readonly sums: readonly number[] } {
  wasm.tick();
  const { series } = istioSeries(wasm.metrics.map(({ name, value }) => [`wasmcustom.${name}`, value] as const));
  expect(series).toHaveLength(1);
  const only = series[0] ?? { kind: "http" as const, labels: [], figures: new Map() };
  const sums = [...samples(only)].filter(({ suffix }) => suffix === "_sum").map(({ value }) => value);
  return { status: new Map(only.labels).get("grpc_response_status"), sums };
}

it("asks the host as often as of any other call, and once for the trailers", () => {
  const wasm = host();
  call(wasm, { "grpc-status": "0" });
  wasm.calls.length = 0;
  call(wasm, { "grpc-status": "0" });
  expect(wasm.calls).toEqual([
    "proxy_get_header_map_pairs",
    "proxy_get_current_time_nanoseconds",
    "proxy_get_header_map_pairs",
    "proxy_get_header_map_pairs",
    "proxy_get_current_time_nanoseconds",
    "proxy_get_property",
  ]);
});

it.each(["0", "5", "16"])("is told of by its trailers: status %s", (status) => {
  const trailers = { "grpc-status": status, "grpc-message": "so it went" };
  const wasm = host();
  call(wasm, trailers);
  expect(told(wasm)).toEqual({ status, sums: [30, bytes(REQUEST) + 40, bytes(RESPONSE, trailers) + 60] });
});

it.each(["17", "x", "", "007", "-1"])(
  "is what Envoy says where the trailers have no status of gRPC's: '%s'",
  (status) => {
    const wasm = host();
    call(wasm, { "grpc-status": status });
    expect(told(wasm)).toEqual({ status: "2", sums: [12, 1, 1] });
  },
);

it("is what Envoy says where there are no trailers: the server has gone", () => {
  const wasm = host();
  const stream = ask(wasm);
  wasm.respondWithTrailers(stream, RESPONSE, {}, 60);
  wasm.end(stream, { ...ENVOY_SAYS, "response/grpc_status": 14 });
  expect(told(wasm)).toEqual({ status: "14", sums: [12, 1, 1] });
});

it("does not take the status of the call before it", () => {
  const wasm = host();
  call(wasm, { "grpc-status": "0" });
  const before = wasm.metrics.length;
  const stream = ask(wasm);
  wasm.end(stream, { ...ENVOY_SAYS, "response/grpc_status": 14 });
  wasm.tick();
  const names = wasm.metrics.slice(before).map(({ name }) => name);
  expect(names.filter((name) => name.includes("grpc_response_status=14"))).not.toHaveLength(0);
});
