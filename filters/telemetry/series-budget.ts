import { Counter, log, LogLevelValues } from "../../assembly/index";
import { SeriesLimits } from "../config";
import { labelled } from "./metric-name";

// Envoy keeps each series until it ends, and whoever reads metrics pays for all of them. So those that one namespace can make have
// a limit. Calls beyond it are counted in series that say less, and no other namespace notices.

class SeriesBudget {
  /** The agent tells them (agent/model/series-limits.ts). */
  limits: SeriesLimits = new SeriesLimits();
}

export const seriesBudget = new SeriesBudget();

/** How exactly a new series may name its call. */
export enum Detail {
  /** With workloads and Services. */
  Full,
  /** With both namespaces. */
  Namespaces,
  /** With the caller's namespace. */
  Source,
  None,
}

const pairs = new Map<string, u32>();
const sources = new Map<string, u32>();
const grouped = new Map<string, Counter>();
let total: u32 = 0;

/** Takes the place of a new series out of the budgets of its namespaces. */
export function takeSeries(source: string, destination: string): Detail {
  const pair = source + "|" + destination;
  const limits = seriesBudget.limits;
  const ofPair = pairs.has(pair) ? pairs.get(pair) : 0;
  const ofSource = sources.has(source) ? sources.get(source) : 0;
  if (total >= limits.all) return Detail.None;
  if (ofSource >= limits.source) return Detail.Source;
  if (ofPair >= limits.pair) return Detail.Namespaces;
  total++;
  pairs.set(pair, ofPair + 1);
  sources.set(source, ofSource + 1);
  return Detail.Full;
}

/** Says that a combination of labels was grouped with others. */
export function noteGrouped(source: string): void {
  if (!grouped.has(source)) {
    log(
      LogLevelValues.warn,
      "ambit: the calls of namespace '" + source + "' have too many series of metrics: others are grouped",
    );
    grouped.set(source, new Counter(labelled("ambit_grouped_series_total", ["namespace", source])));
  }
  grouped.get(source).increment();
}
