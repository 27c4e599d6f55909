import { expect, it } from "vitest";
import { envoyStatistics } from "../../agent/node/metrics/envoy-statistics.ts";
import { labelText, parseMetricName } from "../../agent/node/metrics/metric-name.ts";

it("turns a filter's statistic into a name with labels", () => {
  const parsed = parseMetricName("wasmcustom.istio_requests_total|reporter=source|response_code=200|path=a=b");
  expect(parsed?.name).toBe("istio_requests_total");
  expect(labelText(parsed?.labels ?? [])).toBe('{reporter="source",response_code="200",path="a=b"}');
});

it("escapes what the text format would misread", () => {
  expect(labelText([["key", 'a"b\\c\nd']])).toBe(String.raw`{key="a\"b\\c\nd"}`);
  expect(labelText([])).toBe("");
});

it("leaves Envoy's own statistics, and names that no metric may have", () => {
  expect(parseMetricName("cluster.a.upstream_rq_total")).toBeUndefined();
  expect(parseMetricName('wasmcustom.a"} 1\nforged|key=value')).toBeUndefined();
});

it("counts a histogram up to each bound, and all of it in the last", () => {
  const totals = [
    { lower_bound: 0.4, width: 0.01, count: 2 },
    { lower_bound: 24, width: 1, count: 3 },
    { lower_bound: 900_000, width: 10_000, count: 1 },
  ];
  const name = "wasmcustom.istio_request_duration_milliseconds|reporter=source";
  const body = JSON.stringify({ stats: [{ histograms: { details: [{ name, totals }] } }] });
  const [histogram] = envoyStatistics(body).histograms;
  const at = (bound: string): number | undefined =>
    histogram?.buckets.find(({ upperBound }) => upperBound === bound)?.cumulative;
  expect([at("0.5"), at("10"), at("25"), at("300000"), at("+Inf")]).toEqual([2, 2, 5, 5, 6]);
  expect(histogram?.count).toBe(6);
});
