import { expect, test } from "vitest";
import { edgesBetween, isEdgeMetric, parseScrape } from "../../deploy/demo/live/edges.ts";
import { render } from "../../deploy/demo/live/render.ts";
import { viewOf } from "../../deploy/demo/live/view.ts";

function metrics(ok: number, failed: number, connections: number): string {
  const http = `source_workload="storefront",destination_service_name="inventory",request_protocol="http"`;
  const tcp = `source_workload="storefront",destination_service_name="cache",request_protocol="tcp"`;
  return `# HELP istio_requests_total requests
# TYPE istio_requests_total counter
istio_requests_total{reporter="source",${http},response_code="200"} ${ok}
istio_requests_total{reporter="source",${http},response_code="503"} ${failed}
istio_requests_total{reporter="destination",${http},response_code="200"} ${ok}
istio_request_duration_milliseconds_sum{reporter="source",${http}} ${(ok + failed) * 4}
istio_request_duration_milliseconds_count{reporter="source",${http}} ${ok + failed}
istio_tcp_connections_opened_total{reporter="source",${tcp}} ${connections}
envoy_other{a="b"} 7
`;
}

const earlier = parseScrape(metrics(100, 0, 10), isEdgeMetric);
const later = parseScrape(metrics(190, 10, 30), isEdgeMetric);

test("edges are what came to the source's metrics between two looks", () => {
  expect(edgesBetween(earlier, later, 10)).toEqual([
    {
      source: "storefront",
      destination: "cache",
      protocol: "tcp",
      rate: 2,
      success: undefined,
      meanLatency: undefined,
    },
    { source: "storefront", destination: "inventory", protocol: "http", rate: 10, success: 0.9, meanLatency: 4 },
  ]);
});

test("edges on which nothing happened are left out", () => {
  expect(edgesBetween(later, later, 10)).toEqual([]);
});

test("labels are unescaped, and lines that are no samples are left out", () => {
  const samples = parseScrape('a{x="1\\"2\\\\n"} 3\nnonsense\n\nb 4e2\n', () => true);
  expect(samples).toEqual([
    { name: "a", labels: { x: '1"2\\n' }, value: 3 },
    { name: "b", labels: {}, value: 400 },
  ]);
});

test("a screen shows edges, retries against their budget, and the containers that sidecars would need", () => {
  const containers = { pods: 6, nodes: 2, withSidecars: 13, withAmbit: 11 };
  const snapshot = { outcomes: { 200: 0 }, tries: 0 };
  const view = viewOf(
    { ...snapshot, at: 0, samples: earlier },
    { at: 10_000, samples: later, outcomes: { 200: 99, 503: 1 }, tries: 125 },
    { enrolled: true, failing: false, containers },
  );
  expect(render(view)).toMatchInlineSnapshot(`
    [
      "Ambit: a shop without sidecars. The namespace 'shop' is in the mesh.",
      "",
      "FROM           TO             PROTOCOL         RATE     SUCCESS   LATENCY",
      "storefront     cache          tcp             2.0/s",
      "storefront     inventory      http           10.0/s      90.0 %    4.0 ms",
      "",
      "The inventory fails one call in five; the storefront calls it 10.0 times a second:",
      "success   ██████████████████████████████ 99.0 %",
      "retries   ████████······················ 25.0 % of calls; the budget allows 50 %",
      "",
      "Containers on this machine:",
      "sidecars  ██████████████████████████████ 13: one more in each of 6 pods, and in each that comes",
      "Ambit     █████████████████████████····· 11: two on each of 2 nodes, however many pods come",
      "",
      "e: leave the mesh   f: inventory fails every call   q: quit",
    ]
  `);
});
