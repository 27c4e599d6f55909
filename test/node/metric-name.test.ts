import { expect, it } from "vitest";
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
