/**
 * Shares `total` among those who want some of it: nobody gets more than wanted, and nobody who gets less than wanted gets less
 * than another ("max-min fairness"). So who wants little gets all of it, whatever others want.
 */
export function shares(wanted: ReadonlyMap<string, number>, total: number): ReadonlyMap<string, number> {
  const given = new Map<string, number>();
  let left = total;
  let waiting = wanted.size;
  for (const [name, amount] of [...wanted].toSorted(([, a], [, b]) => a - b)) {
    const share = Math.min(amount, Math.floor(left / waiting));
    given.set(name, share);
    left -= share;
    waiting--;
  }
  return given;
}
