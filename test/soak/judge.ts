/** What a soak looks at every few seconds. Memory (MB) and open files of the first node, the other counts of all. */
export interface Sample {
  readonly at: number;
  readonly pods: number;
  readonly agentMemory: number;
  readonly envoyMemory: number;
  /** What Envoy's allocator has given out, and what it has of the machine for that. Wasm memory is in neither. */
  readonly envoyAllocated: number;
  readonly envoyHeap: number;
  readonly agentFiles: number;
  readonly envoyFiles: number;
  readonly pins: number;
  readonly netns: number;
  readonly cgroups: number;
  readonly listeners: number;
}

export interface Failure {
  /** ms since 1970: when it was begun, and when it was known to have failed. */
  readonly started: number;
  readonly at: number;
  readonly kind: string;
  readonly reason: string;
}

/** From an Envoy's end until it serves again. */
export interface Outage {
  readonly from: number;
  readonly until: number;
}

/**
 * Calls that were under way while an Envoy was down may fail: its connections break with it, and what comes meanwhile is
 * refused. A keep-alive connection may be found broken only by the next call on it.
 */
const GRACE_MS = 2_000;

export function outsideOf(failures: readonly Failure[], outages: readonly Outage[]): readonly Failure[] {
  return failures.filter(
    ({ started, at }) => !outages.some(({ from, until }) => started <= until + GRACE_MS && at >= from),
  );
}

export interface Finding {
  readonly what: string;
  readonly before: number;
  readonly after: number;
  readonly ok: boolean;
}

/** Room for what a runtime keeps: a part of the whole, and so many MB, files or listeners in any case. */
const ROOM: readonly (readonly [what: keyof Sample, part: number, least: number])[] = [
  ["agentMemory", 0.15, 20],
  ["envoyMemory", 0.15, 20],
  ["envoyAllocated", 0.1, 5],
  ["envoyHeap", 0.15, 20],
  ["agentFiles", 0, 6],
  ["envoyFiles", 0.05, 20],
  ["pins", 0, 0],
  ["netns", 0, 0],
  ["cgroups", 0, 0],
  ["listeners", 0, 0],
];

/** Compares like with like: the median of samples taken early with that of samples taken late, with the same pods. */
export function judge(early: readonly Sample[], late: readonly Sample[]): readonly Finding[] {
  return ROOM.map(([what, part, least]) => {
    const before = median(early.map((sample) => sample[what]));
    const after = median(late.map((sample) => sample[what]));
    return { what, before, after, ok: after <= before + Math.max(before * part, least) };
  });
}

/** How much a process takes in each minute of a run, and whether that is nothing to speak of. */
export interface Growth {
  readonly what: string;
  readonly perMinute: number;
  readonly allowed: number;
  readonly ok: boolean;
}

/** Until then caches fill, and what is kept for a time is kept for the first time. */
export const WARM_MS = 3 * 60_000;
/** A shorter run says nothing about it. */
const LEAST_MS = 4 * 60_000;
const ALLOWED_PER_MINUTE = 0.5;

/** By the slope of all samples after the warm-up: a leak that is smaller than the room at rest shows here, given time. */
export function judgeGrowth(samples: readonly Sample[]): readonly Growth[] {
  const begin = samples[0]?.at ?? 0;
  const warm = samples.filter(({ at }) => at - begin >= WARM_MS);
  if ((warm.at(-1)?.at ?? 0) - (warm[0]?.at ?? 0) < LEAST_MS) return [];
  return (["agentMemory", "envoyMemory", "envoyAllocated"] as const).map((what) => {
    const perMinute = slope(warm.map((sample) => [(sample.at - begin) / 60_000, sample[what]]));
    return { what, perMinute, allowed: ALLOWED_PER_MINUTE, ok: perMinute <= ALLOWED_PER_MINUTE };
  });
}

/** Of the straight line that is nearest to the points, by least squares. */
function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x0, y0] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const rise = points.reduce((sum, [x, y]) => sum + (x - x0) * (y - y0), 0);
  return rise / points.reduce((sum, [x]) => sum + (x - x0) ** 2, 0);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
