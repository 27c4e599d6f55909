import { parseMetricName, type LabelledName } from "./metric-name.ts";
import type { Statistic } from "./envoy-statistics.ts";

// The telemetry filter counts calls in its own memory, and increments Envoy's counters once a second:
// `istio_http|labels.figure`
// for requests (filters/telemetry/figures.ts), `istio_tcp|labels.figure` for connections. Here they become the metrics that
// Istio has.

/** What the filter has counted for one combination of labels. */
export interface IstioSeries {
  readonly kind: "http" | "tcp";
  readonly labels: LabelledName["labels"];
  readonly figures: ReadonlyMap<string, number>;
}

/** Puts together the figures of a series, which must follow one another. */
export class SeriesReader {
  #name = "";
  #figures = new Map<string, number>();

  /** The series before this statistic, if this one belongs to another. */
  add([statistic, value]: Statistic): IstioSeries | undefined {
    const dot = statistic.lastIndexOf(".");
    const name = statistic.slice(0, dot);
    const before = name === this.#name ? undefined : this.end();
    this.#name = name;
    this.#figures.set(statistic.slice(dot + 1), value);
    return before;
  }

  /** The last series. */
  end(): IstioSeries | undefined {
    const [parsed, figures] = [parseMetricName(this.#name), this.#figures];
    this.#name = "";
    this.#figures = new Map();
    if (parsed?.name !== "istio_http" && parsed?.name !== "istio_tcp") return undefined;
    return { kind: parsed.name === "istio_tcp" ? "tcp" : "http", labels: parsed.labels, figures };
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
