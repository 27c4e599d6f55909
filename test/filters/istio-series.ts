import type { Statistic } from "../../agent/node/metrics/envoy-statistics.ts";
import { ISTIO_METRICS, type Sample } from "../../agent/node/metrics/istio-metrics.ts";
import { SeriesReader, type IstioSeries } from "../../agent/node/metrics/istio-series.ts";

/** The series of a module's counters, in the order in which it has made them. */
export function istioSeries(values: readonly Statistic[]): { readonly series: readonly IstioSeries[] } {
  const reader = new SeriesReader();
  // Envoy sorts its statistics, so that the figures of one series follow one another.
  const seriesOf = ([name]: Statistic): string => name.slice(0, name.lastIndexOf("."));
  const first = new Map<string, number>();
  for (const each of values) if (!first.has(seriesOf(each))) first.set(seriesOf(each), first.size);
  const place = (each: Statistic): number => first.get(seriesOf(each)) ?? 0;
  const sorted = values.toSorted((one, other) => place(one) - place(other));
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
