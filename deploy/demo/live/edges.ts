/** One line of the Prometheus text format. */
export interface ScrapedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

import { compareText } from "../../../agent/lib/compare.ts";
/** The calls of one workload to one Service, and how they went. */
export interface Edge {
  readonly source: string;
  readonly destination: string;
  /** `http`, `grpc` or `tcp`. */
  readonly protocol: string;
  /** Requests a second; for `tcp`, connections. */
  readonly rate: number;
  /** 0–1; undefined for `tcp`: a proxy cannot see an outcome there. */
  readonly success: number | undefined;
  /** Milliseconds. */
  readonly meanLatency: number | undefined;
}

const REQUESTS = "istio_requests_total";
const DURATION_SUM = "istio_request_duration_milliseconds_sum";
const DURATION_COUNT = "istio_request_duration_milliseconds_count";
const CONNECTIONS = "istio_tcp_connections_opened_total";
const NAMES = new Set([REQUESTS, DURATION_SUM, DURATION_COUNT, CONNECTIONS]);

/** Whether `edgesBetween` reads metrics of this name. */
export function isEdgeMetric(name: string): boolean {
  return NAMES.has(name);
}

interface Sums {
  requests: number;
  succeeded: number;
  durationSum: number;
  durationCount: number;
  connections: number;
}

/**
 * The edges between two readings of the nodes' Istio standard metrics, taken `seconds` apart. Only what sources report counts.
 * https://istio.io/latest/docs/reference/config/metrics/
 */
export function edgesBetween(
  earlier: readonly ScrapedSample[],
  later: readonly ScrapedSample[],
  seconds: number,
): readonly Edge[] {
  const sums = new Map<string, Sums>();
  add(sums, later, 1);
  add(sums, earlier, -1);
  return [...sums]
    .filter(([, { requests, connections }]) => requests > 0 || connections > 0)
    .map(([key, sum]) => edgeOf(key, sum, seconds))
    .toSorted((a, b) => compareText(`${a.source} ${a.destination}`, `${b.source} ${b.destination}`));
}

function add(sums: Map<string, Sums>, samples: readonly ScrapedSample[], sign: 1 | -1): void {
  for (const { name, labels, value } of samples) {
    if (labels["reporter"] !== "source") continue;
    const sum = sumsOf(sums, labels);
    if (name === REQUESTS) {
      sum.requests += sign * value;
      if (isSuccess(labels)) sum.succeeded += sign * value;
    } else if (name === DURATION_SUM) sum.durationSum += sign * value;
    else if (name === DURATION_COUNT) sum.durationCount += sign * value;
    else if (name === CONNECTIONS) sum.connections += sign * value;
  }
}

function sumsOf(sums: Map<string, Sums>, labels: ScrapedSample["labels"]): Sums {
  const { source_workload, destination_service_name, request_protocol } = labels;
  const key = [source_workload, destination_service_name, request_protocol ?? "tcp"].join("|");
  const known = sums.get(key);
  if (known !== undefined) return known;
  const fresh = { requests: 0, succeeded: 0, durationSum: 0, durationCount: 0, connections: 0 };
  sums.set(key, fresh);
  return fresh;
}

/** A call succeeds with a status below 400, and for gRPC with the status OK. */
function isSuccess({ response_code = "0", grpc_response_status = "" }: ScrapedSample["labels"]): boolean {
  const code = Number(response_code);
  return code >= 100 && code < 400 && (grpc_response_status === "" || grpc_response_status === "0");
}

function edgeOf(key: string, sum: Sums, seconds: number): Edge {
  const [source = "", destination = "", protocol = ""] = key.split("|");
  return {
    source,
    destination,
    protocol,
    rate: (protocol === "tcp" ? sum.connections : sum.requests) / seconds,
    success: sum.requests > 0 ? sum.succeeded / sum.requests : undefined,
    meanLatency: sum.durationCount > 0 ? sum.durationSum / sum.durationCount : undefined,
  };
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const ESCAPED: Readonly<Record<string, string>> = { "\\n": "\n", '\\"': '"', "\\\\": "\\" };

/** The samples whose names `wanted` accepts. Skips comments and lines that it cannot read. */
export function parseScrape(text: string, wanted: (name: string) => boolean): readonly ScrapedSample[] {
  const samples: ScrapedSample[] = [];
  for (const line of text.split("\n")) {
    const [, name, labels, value] = LINE.exec(line) ?? [];
    if (name === undefined || !wanted(name)) continue;
    samples.push({ name, labels: parseLabels(labels ?? ""), value: Number(value) });
  }
  return samples;
}

function parseLabels(text: string): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  for (const [, name = "", value = ""] of text.matchAll(LABEL)) {
    labels[name] = value.replaceAll(/\\[n"\\]/g, (escape) => ESCAPED[escape] ?? escape);
  }
  return labels;
}
