import type { Sample, Workload } from "./measure-paths.ts";
import { figure, ratio, type Figure } from "./statistics.ts";

/** What was measured of one path under one workload, a sample for each round. */
export interface Series {
  readonly where: "near" | "far";
  readonly workload: string;
  readonly path: string;
  readonly samples: readonly Sample[];
}

/** A series in figures: what it is, and what it is of the others of the same rounds. */
export interface Row {
  readonly where: "near" | "far";
  readonly workload: string;
  readonly path: string;
  readonly rate: Figure;
  readonly p50: Figure;
  readonly p99: Figure;
  readonly proxyCpu: Figure;
  readonly clientCpu: Figure;
  readonly memory: Figure;
  /** Rate as a part of the direct one's. */
  readonly rateOfDirect: Figure;
}

/** Ambit against the sidecars that encrypt, round by round: above 1 is more. */
export interface Verdict {
  readonly where: "near" | "far";
  readonly workload: string;
  readonly against: string;
  readonly rate: Figure;
  readonly p99: Figure;
  readonly proxyCpu: Figure;
}

export const DIRECT = "direct";
export const AMBIT = "Ambit";

export function rows(series: readonly Series[]): readonly Row[] {
  return series.map(({ where, workload, path, samples }) => {
    const of = (pick: (sample: Sample) => number): Figure => figure(samples.map(pick));
    const direct = find(series, where, workload, DIRECT);
    return {
      where,
      workload,
      path,
      rate: of((sample) => sample.rate),
      p50: of((sample) => sample.p50),
      p99: of((sample) => sample.p99),
      proxyCpu: of((sample) => sample.proxyCpu),
      clientCpu: of((sample) => sample.clientCpu),
      memory: of((sample) => sample.memory),
      rateOfDirect: ratioOf(samples, direct.samples, (sample) => sample.rate),
    };
  });
}

export function verdicts(series: readonly Series[], workloads: readonly Workload[]): readonly Verdict[] {
  return (["near", "far"] as const).flatMap((where) =>
    workloads.flatMap(({ name: workload }) =>
      ["sidecars, mTLS", "sidecars, plaintext"].map((against) => {
        const ambit = find(series, where, workload, AMBIT).samples;
        const other = find(series, where, workload, against).samples;
        return {
          where,
          workload,
          against,
          rate: ratioOf(ambit, other, (sample) => sample.rate),
          p99: ratioOf(ambit, other, (sample) => sample.p99),
          proxyCpu: ratioOf(ambit, other, (sample) => sample.proxyCpu),
        };
      }),
    ),
  );
}

function ratioOf(values: readonly Sample[], base: readonly Sample[], pick: (sample: Sample) => number): Figure {
  return ratio(values.map(pick), base.map(pick));
}

function find(series: readonly Series[], where: string, workload: string, path: string): Series {
  const found = series.find((one) => one.where === where && one.workload === workload && one.path === path);
  if (found === undefined) throw new TypeError(`nothing was measured of ${path}, ${workload}, ${where}`);
  return found;
}
