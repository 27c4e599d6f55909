import { expect, it } from "vitest";
import type { IstioSeries } from "../../agent/node/metrics/istio-series.ts";
import { WasmHost } from "../host/wasm-host.ts";
import { CHAIN, EMPTY, peer } from "./chain.ts";
import { istioSeries } from "./istio-series.ts";

// Whoever calls or answers chooses some of the labels. Envoy keeps every series, so their number has limits.

interface Ended {
  readonly code?: number;
  readonly flags?: number;
  readonly grpc?: number;
}

function host(): WasmHost {
  const wasm = new WasmHost(CHAIN);
  expect(wasm.configure("outbound", EMPTY)).toBe(true);
  return wasm;
}

function call(wasm: WasmHost, from: string, to: string, { code = 200, flags = 0, grpc }: Ended = {}): void {
  const stream = wasm.request({
    headers: { ":path": "/", ...(grpc === undefined ? {} : { "content-type": "application/grpc" }) },
    properties: { "filter_state/ambit.source": from, "xds/cluster_name": "10.96.0.10:80" },
    hasBody: true,
  });
  wasm.end(stream, {
    "response/code": code,
    "response/flags": flags,
    "request/duration": 1_000_000,
    "request/total_size": 1,
    "response/total_size": 1,
    "xds/upstream_host_metadata/filter_metadata/ambit/peer": `${to}|near`,
    ...(grpc === undefined ? {} : { "response/grpc_status": grpc }),
  });
}

function seriesOf(wasm: WasmHost): readonly IstioSeries[] {
  wasm.tick();
  return istioSeries(wasm.metrics.map(({ name, value }) => [`wasmcustom.${name}`, value] as const)).series;
}

const label = ({ labels }: IstioSeries, wanted: string): string => labels.find(([key]) => key === wanted)?.[1] ?? "";
const count = (series: readonly IstioSeries[]): number =>
  series.reduce((sum, { figures }) => sum + (figures.get("count") ?? 0), 0);

it("counts codes that nobody uses by their class", () => {
  const wasm = host();
  for (const code of [200, 299, 298, 404, 477, 599, 588, 600, 999, 0, 100]) {
    call(wasm, peer("alice"), peer("web"), { code });
  }
  const codes = seriesOf(wasm).map((series) => label(series, "response_code"));
  expect(codes.toSorted()).toEqual(["0", "100", "200", "2xx", "404", "4xx", "599", "5xx", "other"]);
});

it("has a limit for the outcomes of an edge, and counts every call", () => {
  const wasm = host();
  for (let code = 100; code < 1000; code++) call(wasm, peer("alice"), peer("web"), { code });
  for (let flags = 0; flags < 500; flags++) call(wasm, peer("alice"), peer("web"), { code: 503, flags });
  for (let grpc = -1; grpc < 100; grpc++) call(wasm, peer("alice"), peer("web"), { grpc });
  const series = seriesOf(wasm);
  expect(series.length).toBeLessThanOrEqual(24 + 24);
  expect(count(series)).toBe(900 + 500 + 101);
});

it("has a limit for a namespace, which no other one notices", () => {
  const wasm = host();
  for (let i = 0; i < 1_500; i++) call(wasm, peer(`m${i}`, "mallory"), peer("web"));
  for (let i = 0; i < 1_500; i++) call(wasm, peer(`m${i}`, "mallory"), peer("other", "victim"));
  for (let i = 0; i < 1_500; i++) call(wasm, peer(`m${i}`, "mallory"), peer("third", "third"));
  for (let i = 0; i < 100; i++) call(wasm, peer(`a${i}`, "shop"), peer("web"));
  const series = seriesOf(wasm);
  const from = (namespace: string): readonly IstioSeries[] =>
    series.filter((each) => label(each, "source_workload_namespace") === namespace);
  expect(count(series)).toBe(4_600);
  expect(from("mallory").length).toBeLessThanOrEqual(1_005);
  expect(count(from("mallory"))).toBe(4_500);
  expect(from("shop")).toHaveLength(100);
  expect(from("shop").every((each) => label(each, "destination_workload") === "web")).toBe(true);
  const grouped = wasm.metrics.find(({ name }) => name === "ambit_grouped_series_total|namespace=mallory");
  expect(grouped?.value).toBeGreaterThan(1_000);
  expect(wasm.logs.filter((line) => line.includes("'mallory'"))).toHaveLength(1);
  expect(wasm.memory.size).toBeLessThan(64 << 20);
});

it("forgets no limit when it forgets edges", () => {
  const wasm = host();
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 12_000; i++) call(wasm, peer(`m${i}`, "mallory"), peer("web"));
  }
  expect(seriesOf(wasm).length).toBeLessThanOrEqual(505);
});

it("has the limits that the agent sets", () => {
  const wasm = new WasmHost(CHAIN);
  const series = { outcomes: 3, pair: 5, source: 8, all: 10 };
  expect(wasm.configure("outbound", { ...EMPTY, series })).toBe(true);
  for (let code = 200; code < 207; code++) call(wasm, peer("one", "mallory"), peer("web"), { code });
  // Three outcomes, then those of a class.
  expect(
    seriesOf(wasm)
      .map((each) => label(each, "response_code"))
      .toSorted(),
  ).toEqual(["200", "201", "202", "2xx"]);
  for (const to of ["web", "second", "third"]) {
    for (let i = 0; i < 10; i++) call(wasm, peer(`m${i}`, "mallory"), peer(to, to));
  }
  for (let i = 0; i < 10; i++) call(wasm, peer(`v${i}`, "shop"), peer("web"));
  const named = (namespace: string): readonly IstioSeries[] =>
    seriesOf(wasm).filter(
      (each) =>
        label(each, "source_workload_namespace") === namespace &&
        !["(other)", "unknown"].includes(label(each, "destination_workload")),
    );
  expect(named("mallory")).toHaveLength(8);
  expect(named("shop")).toHaveLength(2);
  expect(count(seriesOf(wasm))).toBe(7 + 30 + 10);
});
