import { expect, it } from "vitest";
import { byReporter } from "../../agent/node/metrics/istio-series.ts";
import { WasmHost } from "../host/wasm-host.ts";
import { CHAIN, EMPTY, peer } from "./chain.ts";
import { istioSeries, samples } from "./istio-series.ts";

const END = {
  "response/code": 200,
  "response/flags": 0,
  "request/duration": 12_000_000,
  "request/total_size": 100,
  "response/total_size": 2000,
};
const SERVICE = "xds/cluster_metadata/filter_metadata/ambit/service";
const HOST_PEER = "xds/upstream_host_metadata/filter_metadata/ambit/peer";
const TO_WEB = {
  "filter_state/ambit.source": peer("alice"),
  "xds/cluster_name": "10.96.0.10:80",
  [SERVICE]: "web|shop|web.shop.svc.cluster.local",
};

function host(rootId = "outbound"): WasmHost {
  const wasm = new WasmHost(CHAIN);
  expect(wasm.configure(rootId, { ...EMPTY, unguarded: ["uid-web"] })).toBe(true);
  return wasm;
}

function call(wasm: WasmHost, end: Readonly<Record<string, string | number>>, type = "text/plain"): void {
  const stream = wasm.request({ headers: { ":path": "/", "content-type": type }, properties: TO_WEB, hasBody: true });
  wasm.end(stream, end);
}

function outbound(near: boolean): WasmHost {
  const wasm = host();
  call(wasm, { ...END, [HOST_PEER]: `${peer("web")}|${near ? "near" : "far"}` });
  wasm.tick();
  return wasm;
}

/** What the metrics page would show: by metric, the labels and value of each sample. */
function page(wasm: WasmHost, metric: string): readonly Readonly<Record<string, string | number>>[] {
  const { series } = istioSeries(wasm.metrics.map(({ name, value }) => [`wasmcustom.${name}`, value] as const));
  return series.flatMap((each) =>
    byReporter(each.labels).flatMap((labels) =>
      [...samples(each)]
        .filter((sample) => sample.metric + sample.suffix === metric)
        .map(({ value, upperBound }) => ({
          ...Object.fromEntries(labels),
          ...(upperBound === undefined ? {} : { le: upperBound }),
          value,
        })),
    ),
  );
}

const value = (wasm: WasmHost, metric: string): number | undefined => Number(page(wasm, metric)[0]?.["value"]);

it("has Istio's standard labels", () => {
  expect(page(outbound(false), "istio_requests_total")).toEqual([
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
      value: 1,
    },
  ]);
});

it("reports for both ends where both are here, for one where the other is elsewhere", () => {
  const reporters = (wasm: WasmHost): readonly unknown[] =>
    page(wasm, "istio_requests_total").map((labels) => labels["reporter"]);
  expect(reporters(outbound(true))).toEqual(["source", "destination"]);
  expect(reporters(outbound(false))).toEqual(["source"]);
});

it("records milliseconds and bytes", () => {
  const wasm = outbound(false);
  const buckets = (metric: string): readonly unknown[] =>
    page(wasm, `${metric}_bucket`).map(({ le, value: count }) => `${le}:${count}`);
  expect(value(wasm, "istio_request_duration_milliseconds_sum")).toBe(12);
  expect(value(wasm, "istio_request_duration_milliseconds_count")).toBe(1);
  expect(buckets("istio_request_duration_milliseconds").slice(0, 6)).toEqual([
    "0.5:0",
    "1:0",
    "5:0",
    "10:0",
    "25:1",
    "50:1",
  ]);
  expect(buckets("istio_request_duration_milliseconds").at(-1)).toBe("+Inf:1");
  expect(value(wasm, "istio_request_bytes_sum")).toBe(100);
  expect(buckets("istio_request_bytes").slice(0, 2)).toEqual(["100:1", "1000:1"]);
  expect(value(wasm, "istio_response_bytes_sum")).toBe(2000);
  expect(buckets("istio_response_bytes").slice(0, 3)).toEqual(["100:0", "1000:0", "10000:1"]);
});

it("adds up, and tells Envoy at the next tick, once", () => {
  const wasm = host();
  const end = { ...END, [HOST_PEER]: peer("web") };
  for (let i = 0; i < 3; i++) call(wasm, end);
  expect(wasm.metrics).toEqual([]);
  wasm.tick();
  wasm.tick();
  expect(value(wasm, "istio_requests_total")).toBe(3);
  call(wasm, { ...end, "request/duration": 400_000_000_000 });
  wasm.tick();
  expect(value(wasm, "istio_requests_total")).toBe(4);
  expect(page(wasm, "istio_request_duration_milliseconds_bucket").slice(-2)).toMatchObject([
    { le: "300000", value: 3 },
    { le: "+Inf", value: 4 },
  ]);
});

it("forgets nothing when the configuration changes", () => {
  const wasm = host();
  call(wasm, { ...END, [HOST_PEER]: peer("web") });
  expect(wasm.configure("outbound", EMPTY)).toBe(true);
  wasm.tick();
  expect(value(wasm, "istio_requests_total")).toBe(1);
});

it("keeps apart how calls ended", () => {
  const wasm = host();
  const end = { ...END, [HOST_PEER]: peer("web") };
  call(wasm, end);
  call(wasm, { ...end, "response/code": 503, "response/flags": 2 });
  call(wasm, { ...end, "response/grpc_status": 14 }, "application/grpc");
  // A caller that has gone: there is no response.
  call(wasm, { "response/flags": 1 << 14, "request/duration": 1, "request/total_size": 9, "response/total_size": 0 });
  wasm.tick();
  const ended = page(wasm, "istio_requests_total").map((labels) => [
    labels["request_protocol"],
    labels["response_code"],
    labels["response_flags"],
    labels["grpc_response_status"],
  ]);
  expect(ended.toSorted()).toEqual([
    ["grpc", "200", "-", "14"],
    ["http", "0", "DC", ""],
    ["http", "200", "-", ""],
    ["http", "503", "UH", ""],
  ]);
});

it("says unknown of whom nobody knows", () => {
  const wasm = host("inbound");
  const stream = wasm.request({
    headers: { ":path": "/" },
    properties: { "filter_state/ambit.destination": peer("web"), "filter_state/ambit.peer_ip": "192.0.2.1" },
  });
  wasm.end(stream, END);
  wasm.tick();
  expect(page(wasm, "istio_requests_total")[0]).toMatchObject({
    reporter: "destination",
    source_workload: "unknown",
    source_principal: "unknown",
    destination_workload: "web",
    destination_service: "web.shop.svc.cluster.local",
  });
});

it("counts connections and their bytes", () => {
  const wasm = host("outbound-tcp");
  const connection = wasm.connection({ properties: TO_WEB });
  wasm.end(connection, { [HOST_PEER]: `${peer("web")}|near`, "request/total_size": 7, "response/total_size": 5e9 });
  wasm.tick();
  expect(page(wasm, "istio_tcp_connections_opened_total")).toMatchObject([
    { reporter: "source", destination_service_name: "web", request_protocol: "tcp", response_flags: "-", value: 1 },
    { reporter: "destination", value: 1 },
  ]);
  expect(value(wasm, "istio_tcp_received_bytes_total")).toBe(7);
  expect(value(wasm, "istio_tcp_sent_bytes_total")).toBe(5e9);
});

it("learns that an address has become another Service's", () => {
  const wasm = host();
  const end = { ...END, [HOST_PEER]: peer("web") };
  call(wasm, end);
  wasm.tick();
  call(wasm, { ...end, [SERVICE]: "shop|shop|shop.shop.svc.cluster.local" });
  wasm.tick();
  expect(page(wasm, "istio_requests_total").map((labels) => labels["destination_service_name"])).toEqual([
    "web",
    "shop",
  ]);
});

it("keeps next to nothing of pods that come and go, and little of each Service", () => {
  const sizeAfter = (count: number, facts: (i: number) => Readonly<Record<string, string>>): number => {
    const wasm = host();
    for (let i = 0; i < count; i++) {
      const properties = { ...TO_WEB, ...facts(i) };
      wasm.end(wasm.request({ headers: { ":path": "/" }, properties }), { ...END, ...properties });
      if (i % 10 === 0) wasm.tick();
    }
    return wasm.memory.size;
  };
  const nextPod = (i: number) => ({ [HOST_PEER]: `${peer("web").replace("uid-web|web", `uid-${i}|web-${i}`)}|near` });
  const nextService = (i: number) => ({
    [HOST_PEER]: `${peer("web")}|near`,
    "xds/cluster_name": `10.96.${i >> 8}.${i & 255}:80`,
    [SERVICE]: `web-${i}|shop|web-${i}.shop.svc.cluster.local`,
  });
  // Of 1.3 MB at the beginning. What names are made of, and thrown away, would be 50 MB and more.
  expect(sizeAfter(1_000, nextPod)).toBeLessThan(3e6);
  expect(sizeAfter(1_000, nextService)).toBeLessThan(6e6);
});

it("keeps its memory over 100,000 requests and connections, whatever became of them", () => {
  const wasm = host();
  wasm.configure("outbound-tcp", EMPTY);
  const run = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const properties = { "filter_state/ambit.source": peer("a"), "xds/cluster_name": "c" };
      if (i % 3 === 0) wasm.end(wasm.request({ headers: { ":path": `/${i}` }, properties }), END);
      // Answered before it came to the filter, reset, closed.
      if (i % 3 === 1) wasm.end(wasm.unseen({ properties }), {});
      if (i % 3 === 2) wasm.end(wasm.connection({ properties }), END);
      if (i % 1000 === 0) wasm.tick();
    }
  };
  run(20_000);
  const before = wasm.memory.size;
  run(80_000);
  expect(wasm.memory.size).toBe(before);
});
