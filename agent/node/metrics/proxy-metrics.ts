import type { Mesh } from "../../model/mesh.ts";
import { statistics } from "./envoy-statistics.ts";
import { ISTIO_METRICS, type IstioMetric } from "./istio-metrics.ts";
import { byReporter, SeriesReader, type IstioSeries } from "./istio-series.ts";
import { labelText, parseMetricName, type LabelledName } from "./metric-name.ts";

/** Of Envoy's own statistics only what tells of the node's health: each cluster has a hundred, and dashboards read none. */
const SERVER =
  "^(server.(memory_allocated|live|uptime|concurrency|total_connections)|listener_manager.(total_listeners_active|total_listeners_warming|total_listeners_draining)|cluster_manager.active_clusters)$";

/** Characters that go to the client at once, about. */
const PORTION = 64 << 10;

/** Where a page comes from, and how long somebody wants it. */
export interface ProxyPage {
  readonly adminSocket: string;
  readonly mesh: Mesh;
  readonly node: string;
  readonly signal: AbortSignal;
}

/**
 * The node proxy's figures as Prometheus text, in portions; nothing while it does not answer. Throws if it stops answering later.
 *
 * In this format all samples of one metric stand together, and Envoy sorts its statistics otherwise. So the agent asks
 * Envoy for one metric after the other, and keeps neither the statistics nor the page. Envoy buffers what it has been asked for
 * until it is read (envoyproxy/envoy#31087), which is another reason to ask for less at a time.
 */
export async function* proxyMetrics(page: ProxyPage): AsyncGenerator<string> {
  const server = await serverFigures(page).catch(() => undefined);
  if (server === undefined) return;
  const local = localWorkloads(page.mesh, page.node);
  for (const metric of ISTIO_METRICS) yield* istioMetric(page, metric, local);
  yield* otherMetrics(page, local);
  yield server;
}

async function serverFigures({ adminSocket, signal }: ProxyPage): Promise<string> {
  let text = "";
  for await (const some of statistics({ adminSocket, filter: SERVER, usedOnly: false, signal })) {
    for (const [statistic, value] of some) {
      const name = `envoy_${statistic.replaceAll(".", "_")}`;
      text += `# TYPE ${name} gauge\n${name} ${value}\n`;
    }
  }
  return text;
}

async function* istioMetric(
  { adminSocket, signal }: ProxyPage,
  metric: IstioMetric,
  local: ReadonlySet<string>,
): AsyncGenerator<string> {
  const filter = `^wasmcustom\\.istio_${metric.kind}\\|.*\\.(${metric.figures})$`;
  const reader = new SeriesReader();
  const head = `# TYPE ${metric.name} ${metric.type}\n`;
  let hasHead = false;
  let text = "";
  const add = (series: IstioSeries | undefined): void => {
    const lines = series === undefined ? "" : seriesText(metric, series, local);
    if (lines === "") return;
    text += hasHead ? lines : head + lines;
    hasHead = true;
  };
  for await (const some of statistics({ adminSocket, filter, usedOnly: true, signal })) {
    for (const each of some) {
      add(reader.add(each));
      if (text.length < PORTION) continue;
      yield text;
      text = "";
    }
  }
  add(reader.end());
  if (text !== "") yield text;
}

function seriesText({ name, samples }: IstioMetric, series: IstioSeries, local: ReadonlySet<string>): string {
  let text = "";
  for (const labels of byReporter(series.labels)) {
    if (isGone(labels, local)) continue;
    const own = labelText(labels);
    for (const { suffix, upperBound, value } of samples(series.figures)) {
      const all = upperBound === undefined ? own : `${own.slice(0, -1)},le="${upperBound}"}`;
      text += `${name}${suffix}${all} ${value}\n`;
    }
  }
  return text;
}

/** What the filters count apart from Istio's metrics: few series, each of them a counter. */
async function* otherMetrics({ adminSocket, signal }: ProxyPage, local: ReadonlySet<string>): AsyncGenerator<string> {
  const filter = "^wasmcustom\\.ambit_";
  let last = "";
  for await (const some of statistics({ adminSocket, filter, usedOnly: true, signal })) {
    let text = "";
    for (const [statistic, value] of some) {
      const parsed = parseMetricName(statistic);
      if (parsed === undefined || isGone(parsed.labels, local)) continue;
      if (parsed.name !== last) text += `# TYPE ${parsed.name} counter\n`;
      last = parsed.name;
      text += `${parsed.name}${labelText(parsed.labels)} ${value}\n`;
    }
    if (text !== "") yield text;
  }
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
