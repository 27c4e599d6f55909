import type { Series } from "./compare-paths.ts";
import { measure, WORKLOADS, type Sample, type Workload } from "./measure-paths.ts";
import { memoryMegabytes } from "./process-cost.ts";
import { openPaths, type Path, type PathsOptions } from "./paths.ts";

export interface PathsRun {
  readonly workloads: readonly Workload[];
  readonly series: readonly Series[];
  /** MB of the lab's agents, one for each node. */
  readonly agentMemory: readonly number[];
}

export interface PathsRunOptions extends PathsOptions {
  readonly rounds: number;
  /** Of each slice of load. */
  readonly seconds: number;
  /** Workloads by a part of their name. */
  readonly only: string | undefined;
  readonly progress: (text: string) => void;
}

/** Measures every path under every workload, in turns: a round is one slice of each path, in an order that rotates. */
export async function runPaths(options: PathsRunOptions): Promise<PathsRun> {
  const { rounds, seconds, only, progress } = options;
  const workloads = WORKLOADS.filter(({ name }) => only === undefined || name.includes(only));
  const paths = await openPaths(options);
  const samples = new Map<string, Sample[]>();
  const series: Series[] = [];
  try {
    for (const workload of workloads) {
      for (const where of ["near", "far"] as const) {
        for (const path of paths[where]) {
          const own: Sample[] = [];
          samples.set(`${where} ${path.name} ${workload.name}`, own);
          series.push({ where, workload: workload.name, path: path.name, samples: own });
        }
        for (let round = 0; round < rounds; round++) {
          progress(`${workload.name}, ${where}: round ${round + 1} of ${rounds}`);
          for (const path of rotated(paths[where], round)) {
            samples.get(`${where} ${path.name} ${workload.name}`)?.push(await measure(path, workload, seconds));
          }
        }
      }
    }
    return { workloads, series, agentMemory: paths.agents.map((pid) => memoryMegabytes([pid])) };
  } finally {
    await paths.close();
  }
}

function rotated(paths: readonly Path[], by: number): readonly Path[] {
  const at = by % paths.length;
  return [...paths.slice(at), ...paths.slice(0, at)];
}
