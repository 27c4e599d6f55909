/** A figure over several rounds: the middle one, and how far they lay apart. */
export interface Figure {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Throws for an empty list. */
export function figure(values: readonly number[]): Figure {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => {
    const value = sorted[index];
    if (value === undefined) throw new TypeError("a figure needs at least one value");
    return value;
  };
  const middle = Math.floor((sorted.length - 1) / 2);
  const median = sorted.length % 2 === 1 ? at(middle) : (at(middle) + at(middle + 1)) / 2;
  return { median, min: at(0), max: at(sorted.length - 1) };
}

/** Of what has no latency, or no proxy. */
const NOTHING: Figure = { median: 0, min: 0, max: 0 };

/**
 * How many times as much one is as the other, round by round: what disturbs a machine for a while disturbs both sides of a
 * round alike, so that ratios lie closer together than what they are made of.
 */
export function ratio(values: readonly number[], base: readonly number[]): Figure {
  const ratios = values.flatMap((value, round) => {
    const other = base[round];
    return other === undefined || other === 0 ? [] : [value / other];
  });
  return ratios.length === 0 ? NOTHING : figure(ratios);
}
