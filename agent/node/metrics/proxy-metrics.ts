import { askUnix, type UnixAnswer } from "../../lib/unix-http.ts";
import type { Mesh } from "../../model/mesh.ts";
import { byReporter, istioSeries, samples, type IstioSeries } from "./istio-series.ts";
import { labelText, parseMetricName, type LabelledName } from "./metric-name.ts";

const FILTERS = "/stats?usedonly&format=json&filter=%5Ewasmcustom";
/** Of Envoy's own statistics only what tells of the node's health: each cluster has a hundred, and dashboards read none. */
const SERVER =
  "/stats?format=json&filter=%5E(server.(memory_allocated%7Clive%7Cuptime%7Cconcurrency%7Ctotal_connections)%7Clistener_manager.(total_listeners_active%7Ctotal_listeners_warming%7Ctotal_listeners_draining)%7Ccluster_manager.active_clusters)%24";

const TIMEOUT_MS = 2_000;

/** The node proxy's figures as Prometheus text; empty while it does not answer. */
export async function proxyMetrics(adminSocket: string, mesh: Mesh, node: string): Promise<string> {
  try {
    const ask = (path: string): Promise<UnixAnswer> => askUnix(adminSocket, path, { timeoutMs: TIMEOUT_MS });
    const [filters, server] = await Promise.all([ask(FILTERS), ask(SERVER)]);
    const page = new Page();
    page.addFilters(statisticsOf(filters.body), localWorkloads(mesh, node));
    for (const [name, value] of statisticsOf(server.body)) {
      page.add(`envoy_${name.replaceAll(".", "_")}`, "gauge", "", value);
    }
    return page.text();
  } catch {
    return "";
  }
}

type Statistic = readonly [name: string, value: number];

/** The counters and gauges in what `/stats?format=json` of Envoy's admin interface answers. */
function statisticsOf(body: string): readonly Statistic[] {
  const { stats = [] } = JSON.parse(body) as { readonly stats?: readonly object[] };
  return stats.flatMap((entry): readonly Statistic[] =>
    "name" in entry && typeof entry.name === "string" && "value" in entry ? [[entry.name, Number(entry.value)]] : [],
  );
}

/** `namespace/workload` of the pods here. A series about one that is gone is not reported any more: Envoy never forgets. */
function localWorkloads(mesh: Mesh, node: string): ReadonlySet<string> {
  const here = mesh.workloads.filter((workload) => workload.node === node && !workload.terminated);
  return new Set(here.map(({ meta, workloadName }) => `${meta.namespace}/${workloadName}`));
}

/** The filter's word for all workloads that have no series of their own (filters/telemetry/labels.ts). */
const GROUPED = "(other)";

function isGone(labels: LabelledName["labels"], local: ReadonlySet<string>): boolean {
  const value = (wanted: string): string | undefined => labels.find(([key]) => key === wanted)?.[1];
  const reporter = value("reporter");
  if (reporter !== "source" && reporter !== "destination") return false;
  if (value("source_workload") === GROUPED) return false;
  return !local.has(`${value(`${reporter}_workload_namespace`) ?? ""}/${value(`${reporter}_workload`) ?? ""}`);
}

type MetricType = "counter" | "gauge" | "histogram";

/** A page of the Prometheus text format: the samples of one metric stand together, under its type. */
class Page {
  readonly #metrics = new Map<string, { readonly type: MetricType; readonly lines: string[] }>();

  add(name: string, type: MetricType, labels: string, value: number, suffix = ""): void {
    const metric = this.#metrics.get(name) ?? { type, lines: [] };
    metric.lines.push(`${name}${suffix}${labels} ${value}`);
    this.#metrics.set(name, metric);
  }

  addFilters(statistics: readonly Statistic[], local: ReadonlySet<string>): void {
    const { series, rest } = istioSeries(statistics);
    for (const each of series) {
      for (const labels of byReporter(each.labels)) {
        if (!isGone(labels, local)) this.#addSeries(each, labels);
      }
    }
    for (const [statistic, value] of rest) {
      const parsed = parseMetricName(statistic);
      if (parsed === undefined || isGone(parsed.labels, local)) continue;
      this.add(parsed.name, "counter", labelText(parsed.labels), value);
    }
  }

  #addSeries(series: IstioSeries, labels: LabelledName["labels"]): void {
    const text = labelText(labels);
    for (const { metric, type, suffix, upperBound, value } of samples(series)) {
      this.add(metric, type, upperBound === undefined ? text : labelText(labels, [["le", upperBound]]), value, suffix);
    }
  }

  text(): string {
    return [...this.#metrics]
      .map(([name, { type, lines }]) => `# TYPE ${name} ${type}\n${lines.join("\n")}\n`)
      .join("");
  }
}
