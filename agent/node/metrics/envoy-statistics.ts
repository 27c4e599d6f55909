export interface EnvoyStatistics {
  readonly values: readonly (readonly [name: string, value: number])[];
  readonly histograms: readonly EnvoyHistogram[];
}

export interface EnvoyHistogram {
  readonly name: string;
  /** `le`, and how many values are not above it. */
  readonly buckets: readonly { readonly upperBound: string; readonly cumulative: number }[];
  readonly count: number;
  /** As good as Envoy's log-linear histograms are: within 5 %. */
  readonly sum: number;
}

interface Total {
  readonly lower_bound: number;
  readonly width: number;
  readonly count: number;
}

interface DetailedHistogram {
  readonly name: string;
  readonly totals: readonly Total[];
}

/** Upper bounds for Istio's two kinds of histogram: milliseconds and bytes. */
const BOUNDS = {
  milliseconds: [0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000],
  bytes: [100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000],
} as const;

/** Reads what `/stats?format=json&histogram_buckets=detailed` of Envoy's admin interface answers. */
export function envoyStatistics(body: string): EnvoyStatistics {
  const { stats = [] } = JSON.parse(body) as { readonly stats?: readonly object[] };
  const values: (readonly [string, number])[] = [];
  const histograms: EnvoyHistogram[] = [];
  for (const entry of stats) {
    if ("histograms" in entry) {
      const { details = [] } = entry.histograms as { readonly details?: readonly DetailedHistogram[] };
      histograms.push(...details.map(histogram));
    } else if ("name" in entry && typeof entry.name === "string" && "value" in entry) {
      values.push([entry.name, Number(entry.value)]);
    }
  }
  return { values, histograms };
}

function histogram({ name, totals }: DetailedHistogram): EnvoyHistogram {
  const count = totals.reduce((total, each) => total + each.count, 0);
  const sum = totals.reduce((total, { lower_bound, width, count: n }) => total + n * (lower_bound + width / 2), 0);
  const bounds = name.includes("_milliseconds") ? BOUNDS.milliseconds : BOUNDS.bytes;
  const buckets = bounds.map((bound) => ({
    upperBound: String(bound),
    // Envoy's own buckets are narrower than these, and end where these do.
    cumulative: totals.reduce((total, each) => total + (each.lower_bound + each.width <= bound ? each.count : 0), 0),
  }));
  return { name, buckets: [...buckets, { upperBound: "+Inf", cumulative: count }], count, sum };
}
