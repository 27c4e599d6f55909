/** Orders texts by their UTF-16 code units, so that a sorted list is the same in every locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
