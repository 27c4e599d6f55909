import { parseMetricName, type LabelledName } from "./metric-name.ts";

// The telemetry filter counts calls in its own memory, and increments Envoy's counters once a second:
// `istio_http|labels.figure`
// for requests (filters/telemetry/figures.ts), `istio_tcp|labels.figure` for connections. Here they become the metrics that
// Istio has.

/** Upper bounds of the filter's buckets, by their place, for Istio's two kinds of histogram. The last bucket has none. */
const MILLISECONDS = [0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000];
const BYTES = [100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

const HISTOGRAMS = [
  { name: "istio_request_duration_milliseconds", figure: "duration", bounds: MILLISECONDS },
  { name: "istio_request_bytes", figure: "request", bounds: BYTES },
  { name: "istio_response_bytes", figure: "response", bounds: BYTES },
] as const;

const TCP_COUNTERS = [
  { name: "istio_tcp_connections_opened_total", figure: "opened" },
  { name: "istio_tcp_connections_closed_total", figure: "closed" },
  { name: "istio_tcp_received_bytes_total", figure: "received_bytes" },
  { name: "istio_tcp_sent_bytes_total", figure: "sent_bytes" },
] as const;

/** What the filter has counted for one combination of labels. */
export interface IstioSeries {
  readonly kind: "http" | "tcp";
  readonly labels: LabelledName["labels"];
  readonly figures: ReadonlyMap<string, number>;
}

/** Puts together the counters that are figures of one series; `rest` is the others. */
export function istioSeries(values: readonly (readonly [statistic: string, value: number])[]): {
  readonly series: readonly IstioSeries[];
  readonly rest: readonly (readonly [statistic: string, value: number])[];
} {
  const figures = new Map<string, Map<string, number>>();
  const rest: (readonly [string, number])[] = [];
  for (const entry of values) {
    const [statistic, value] = entry;
    if (!/^wasmcustom\.istio_(?:http|tcp)\|/u.test(statistic)) {
      rest.push(entry);
      continue;
    }
    const dot = statistic.lastIndexOf(".");
    const name = statistic.slice(0, dot);
    const known = figures.get(name) ?? new Map<string, number>();
    figures.set(name, known.set(statistic.slice(dot + 1), value));
  }
  const series = [...figures].flatMap(([statistic, byName]): readonly IstioSeries[] => {
    const parsed = parseMetricName(statistic);
    if (parsed === undefined) return [];
    return [{ kind: parsed.name === "istio_tcp" ? "tcp" : "http", labels: parsed.labels, figures: byName }];
  });
  return { series, rest };
}

/** One line of a metrics page. */
export interface Sample {
  readonly metric: string;
  readonly type: "counter" | "histogram";
  readonly suffix: string;
  /** The last label of a bucket. */
  readonly upperBound?: string;
  readonly value: number;
}

/** What the series is on the page, for one reporter. */
export function* samples({ kind, figures }: IstioSeries): Iterable<Sample> {
  const value = (figure: string): number => figures.get(figure) ?? 0;
  if (kind === "tcp") {
    for (const { name, figure } of TCP_COUNTERS) {
      yield { metric: name, type: "counter", suffix: "", value: value(figure) };
    }
    return;
  }
  const count = value("count");
  yield { metric: "istio_requests_total", type: "counter", suffix: "", value: count };
  for (const { name, figure, bounds } of HISTOGRAMS) {
    const histogram = { metric: name, type: "histogram" } as const;
    let cumulative = 0;
    for (const [place, bound] of bounds.entries()) {
      cumulative += value(`${figure}_${place}`);
      yield { ...histogram, suffix: "_bucket", upperBound: String(bound), value: cumulative };
    }
    yield { ...histogram, suffix: "_bucket", upperBound: "+Inf", value: count };
    yield { ...histogram, suffix: "_sum", value: value(`${figure}_sum`) };
    yield { ...histogram, suffix: "_count", value: count };
  }
}

/** The same labels for each side that the series speaks for: `both` where one pass through a proxy was both sides. */
export function byReporter(labels: LabelledName["labels"]): readonly LabelledName["labels"][] {
  const as = (reporter: string): LabelledName["labels"] =>
    labels.map(([key, value]) => [key, key === "reporter" ? reporter : value] as const);
  return labels.some(([key, value]) => key === "reporter" && value === "both")
    ? [as("source"), as("destination")]
    : [labels];
}
