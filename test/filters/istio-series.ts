import type { Statistic } from "../../agent/node/metrics/envoy-statistics.ts";
import { ISTIO_METRICS, type Sample } from "../../agent/node/metrics/istio-metrics.ts";
import { SeriesReader, type IstioSeries } from "../../agent/node/metrics/istio-series.ts";

/** The series of a module's counters, in whatever order it has made them. */
export function istioSeries(values: readonly Statistic[]): { readonly series: readonly IstioSeries[] } {
  const reader = new SeriesReader();
  const sorted = values.toSorted(([one], [other]) => (one < other ? -1 : 1));
  const series = [...sorted.map((each) => reader.add(each)), reader.end()];
  return { series: series.filter((each) => each !== undefined) };
}

/** What a series is on the metrics page, for one reporter. */
export function* samples({ kind, figures }: IstioSeries): Iterable<Sample & { readonly metric: string }> {
  for (const metric of ISTIO_METRICS) {
    if (metric.kind !== kind) continue;
    for (const sample of metric.samples(figures)) yield { metric: metric.name, ...sample };
  }
}
