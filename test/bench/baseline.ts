import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Verdict } from "./compare-paths.ts";
import { WHERE } from "./report/table.ts";
import type { Figure } from "./statistics.ts";

/** Ratios of one run: absolute figures say more of the machine than of Ambit. */
export interface Baseline {
  readonly machine: string;
  readonly ratios: Readonly<Record<string, Figure>>;
}

/** A ratio that has left the spread of the baseline's rounds, and by how much its median has moved. */
export interface Change {
  readonly name: string;
  readonly before: Figure;
  readonly now: Figure;
  readonly better: boolean;
}

/** `cost of the filters`: their CPU as a part of a direct response's. */
export function baselineOf(machine: string, verdicts: readonly Verdict[], filters: Figure | undefined): Baseline {
  const ratios: Record<string, Figure> = {};
  for (const verdict of verdicts) {
    const name = `${verdict.workload}, ${WHERE[verdict.where]}, against ${verdict.against}`;
    ratios[`rate: ${name}`] = verdict.rate;
    ratios[`p99: ${name}`] = verdict.p99;
    ratios[`CPU: ${name}`] = verdict.proxyCpu;
  }
  if (filters !== undefined) ratios["CPU: the three filters, of a direct response"] = filters;
  return { machine, ratios };
}

/** A median that moved by less than this says nothing, however close the rounds lay. */
const NOISE = 0.1;

/** What has changed beyond the spread of both runs. For a rate more is better, for all else less. */
export function changes(before: Baseline, now: Baseline): readonly Change[] {
  return Object.entries(now.ratios).flatMap(([name, figure]) => {
    const old = before.ratios[name];
    if (old === undefined || old.median === 0) return [];
    const apart = figure.min > old.max || figure.max < old.min;
    if (!apart || Math.abs(figure.median / old.median - 1) < NOISE) return [];
    const more = figure.median > old.median;
    return [{ name, before: old, now: figure, better: name.startsWith("rate: ") ? more : !more }];
  });
}

export function readBaseline(file: string): Baseline | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Baseline) : undefined;
}

export function writeBaseline(file: string, baseline: Baseline): void {
  writeFileSync(file, `${JSON.stringify(baseline, null, 2)}\n`);
}
