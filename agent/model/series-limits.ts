/** How many series of metrics each of Envoy's workers makes. Calls beyond a limit are counted in series that say less. */
export interface SeriesLimits {
  /** Outcomes (code, flags, gRPC status) of one caller's workload at one destination. */
  readonly outcomes: number;
  /** Of calls from one namespace to one other. */
  readonly pair: number;
  /** Of calls from one namespace. */
  readonly source: number;
  readonly all: number;
}

export const DEFAULT_SERIES_LIMITS: SeriesLimits = { outcomes: 24, pair: 500, source: 1_000, all: 5_000 };
