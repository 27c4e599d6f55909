/** What a soak looks at every few seconds. Memory (MB) and open files of the first node, the other counts of all. */
export interface Sample {
  readonly at: number;
  readonly pods: number;
  readonly agentMemory: number;
  readonly envoyMemory: number;
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

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
