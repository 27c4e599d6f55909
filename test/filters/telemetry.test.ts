import { expect, it } from "vitest";
import { parseMetricName } from "../../agent/metrics/metric-name.ts";
import { WasmHost } from "../host/wasm-host.ts";
import { CHAIN, EMPTY, peer } from "./chain.ts";

const END = {
  "response/code": 200,
  "response/flags": 0,
  "request/duration": 12_000_000,
  "request/total_size": 100,
  "response/total_size": 2000,
};

function outbound(near: boolean): WasmHost {
  const wasm = new WasmHost(CHAIN);
  wasm.configure("outbound", EMPTY);
  const stream = wasm.request({
    headers: { ":path": "/", "content-type": "text/plain" },
    properties: { "filter_state/ambit.source": peer("alice") },
  });
  wasm.end(stream, {
    ...END,
    "xds/cluster_metadata/filter_metadata/ambit/service": "web|shop|web.shop.svc.cluster.local",
    "xds/upstream_host_metadata/filter_metadata/ambit/peer": `${peer("web")}|${near ? "near" : "far"}`,
  });
  return wasm;
}

function labelsOf(wasm: WasmHost, name: string): readonly Readonly<Record<string, string>>[] {
  return wasm.metrics.flatMap((metric) => {
    const parsed = parseMetricName(`wasmcustom.${metric.name}`);
    return parsed?.name === name ? [Object.fromEntries(parsed.labels)] : [];
  });
}

it("has Istio's standard labels", () => {
  expect(labelsOf(outbound(false), "istio_requests_total")).toEqual([
    {
      reporter: "source",
      source_workload: "alice",
      source_canonical_service: "alice",
      source_canonical_revision: "v1",
      source_workload_namespace: "shop",
      source_principal: "spiffe://cluster.local/ns/shop/sa/alice",
      source_app: "alice",
      source_version: "v1",
      source_cluster: "Kubernetes",
      destination_workload: "web",
      destination_workload_namespace: "shop",
      destination_principal: "spiffe://cluster.local/ns/shop/sa/web",
      destination_app: "web",
      destination_version: "v1",
      destination_service: "web.shop.svc.cluster.local",
      destination_canonical_service: "web",
      destination_canonical_revision: "v1",
      destination_service_name: "web",
      destination_service_namespace: "shop",
      destination_cluster: "Kubernetes",
      request_protocol: "http",
      connection_security_policy: "none",
      response_code: "200",
      response_flags: "-",
      grpc_response_status: "",
    },
  ]);
});

it("reports for both ends where both are here, for one where the other is elsewhere", () => {
  const reporters = (wasm: WasmHost): readonly (string | undefined)[] =>
    labelsOf(wasm, "istio_requests_total").map((labels) => labels["reporter"]);
  expect(reporters(outbound(true))).toEqual(["source", "destination"]);
  expect(reporters(outbound(false))).toEqual(["source"]);
});

it("records milliseconds and bytes", () => {
  const records = (name: string): readonly number[] | undefined =>
    outbound(false).metrics.find((metric) => metric.name.startsWith(name))?.records;
  expect(records("istio_request_duration_milliseconds")).toEqual([12]);
  expect(records("istio_request_bytes")).toEqual([100]);
  expect(records("istio_response_bytes")).toEqual([2000]);
});

it("says unknown of whom nobody knows", () => {
  const wasm = new WasmHost(CHAIN);
  wasm.configure("inbound", EMPTY);
  const stream = wasm.request({
    headers: { ":path": "/" },
    properties: { "filter_state/ambit.destination": peer("web"), "filter_state/ambit.peer_ip": "192.0.2.1" },
  });
  wasm.end(stream, END);
  expect(labelsOf(wasm, "istio_requests_total")[0]).toMatchObject({
    reporter: "destination",
    source_workload: "unknown",
    source_principal: "unknown",
    destination_workload: "web",
  });
});

it("keeps its memory over 100,000 requests", () => {
  const wasm = new WasmHost(CHAIN);
  wasm.configure("outbound", EMPTY);
  const run = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const stream = wasm.request({
        headers: { ":path": `/${i}` },
        properties: { "filter_state/ambit.source": peer("a") },
      });
      wasm.end(stream, END);
    }
  };
  run(10_000);
  const before = wasm.memory.size;
  run(90_000);
  expect(wasm.memory.size).toBe(before);
});
