// The figures of one series of HTTP requests. The agent knows them by these names, and the bounds by their place
// (agent/node/metrics/istio-series.ts): a bucket counts values above the bound before, up to its own; the last
// one counts the rest.

export const MILLISECONDS: StaticArray<u64> = [
  // 0.5: durations are whole milliseconds, so none is between 0 and 1.
  0, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000,
];
export const BYTES: StaticArray<u64> = [100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

export enum Figure {
  Count = 0,
  Duration = 1,
  RequestBytes = 2,
  ResponseBytes = 3,
  DurationBuckets = 4,
  RequestBuckets = 21,
  ResponseBuckets = 29,
}

export const FIGURES: string[] = ["count", "duration_sum", "request_sum", "response_sum"]
  .concat(buckets("duration", MILLISECONDS))
  .concat(buckets("request", BYTES))
  .concat(buckets("response", BYTES));

function buckets(name: string, bounds: StaticArray<u64>): string[] {
  const names: string[] = [];
  for (let i = 0; i <= bounds.length; i++) names.push(name + "_" + i.toString());
  return names;
}

export function bucketOf(bounds: StaticArray<u64>, value: u64): i32 {
  let i = 0;
  while (i < bounds.length && value > bounds[i]) i++;
  return i;
}
