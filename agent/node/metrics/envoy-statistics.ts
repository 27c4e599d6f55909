import { openUnix } from "../../lib/unix-http.ts";

export type Statistic = readonly [name: string, value: number];

export interface StatisticsQuery {
  readonly adminSocket: string;
  /** A regular expression of RE2 for their names. */
  readonly filter: string;
  /** Without those that were never written. */
  readonly usedOnly: boolean;
  readonly signal: AbortSignal;
}

/** Envoy makes the whole page before it sends the first byte. */
const SILENCE_MS = 10_000;

/**
 * Envoy's counters and gauges, sorted by name (StatsRequest in source/server/admin/stats_request.cc), in portions as they arrive.
 * Who takes no more portions closes the connection.
 */
export async function* statistics(query: StatisticsQuery): AsyncGenerator<readonly Statistic[]> {
  const { adminSocket, filter, usedOnly, signal } = query;
  const path = `/stats?${usedOnly ? "usedonly&" : ""}filter=${encodeURIComponent(filter)}`;
  const response = await openUnix(adminSocket, path, { timeoutMs: SILENCE_MS, signal });
  if (response.statusCode !== 200) {
    response.destroy();
    throw new Error(`Envoy answers ${response.statusCode} to ${path}`);
  }
  response.setEncoding("utf8");
  let rest = "";
  for await (const part of response as AsyncIterable<string>) {
    const lines = (rest + part).split("\n");
    rest = lines.pop() ?? "";
    yield lines.flatMap(statisticOf);
  }
}

/** `name: number`. Names may hold colons; texts and histograms are no numbers. */
function statisticOf(line: string): readonly Statistic[] {
  const end = line.lastIndexOf(": ");
  const value = line.slice(end + 2);
  return end > 0 && /^[0-9]+$/u.test(value) ? [[line.slice(0, end), Number(value)]] : [];
}
