import type { IstioSeries } from "./istio-series.ts";

/** Upper bounds of the filter's buckets, by their place, for Istio's two kinds of histogram. The last bucket has none. */
const MILLISECONDS = [0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000];
const BYTES = [100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/** One line of a metrics page. */
export interface Sample {
  readonly suffix: string;
  /** The last label of a bucket. */
  readonly upperBound?: string;
  readonly value: number;
}

/** One of Istio's metrics, and how it is made of the filter's figures. */
export interface IstioMetric {
  readonly name: string;
  readonly type: "counter" | "histogram";
  readonly kind: IstioSeries["kind"];
  /** A regular expression for the names of the figures that it needs. */
  readonly figures: string;
  readonly samples: (figures: IstioSeries["figures"]) => readonly Sample[];
}

/** https://istio.io/latest/docs/reference/config/metrics/ */
export const ISTIO_METRICS: readonly IstioMetric[] = [
  counter("http", "istio_requests_total", "count"),
  histogram("istio_request_duration_milliseconds", "duration", MILLISECONDS),
  histogram("istio_request_bytes", "request", BYTES),
  histogram("istio_response_bytes", "response", BYTES),
  counter("tcp", "istio_tcp_connections_opened_total", "opened"),
  counter("tcp", "istio_tcp_connections_closed_total", "closed"),
  counter("tcp", "istio_tcp_received_bytes_total", "received_bytes"),
  counter("tcp", "istio_tcp_sent_bytes_total", "sent_bytes"),
];

function counter(kind: IstioSeries["kind"], name: string, figure: string): IstioMetric {
  return {
    ...{ name, type: "counter", kind, figures: figure },
    samples: (figures) => [{ suffix: "", value: figures.get(figure) ?? 0 }],
  };
}

function histogram(name: string, figure: string, bounds: readonly number[]): IstioMetric {
  return {
    ...{ name, type: "histogram", kind: "http", figures: `count|${figure}_(sum|[0-9]+)` },
    samples: (figures) => {
      const value = (wanted: string): number => figures.get(wanted) ?? 0;
      let cumulative = 0;
      return [
        ...bounds.map((bound, place) => {
          cumulative += value(`${figure}_${place}`);
          return { suffix: "_bucket", upperBound: String(bound), value: cumulative };
        }),
        { suffix: "_bucket", upperBound: "+Inf", value: value("count") },
        { suffix: "_sum", value: value(`${figure}_sum`) },
        { suffix: "_count", value: value("count") },
      ];
    },
  };
}
