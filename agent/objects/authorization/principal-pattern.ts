type Parts = readonly (string | undefined)[];

/** `trust-domain/ns/namespace/sa/service-account`; undefined: any name. */
const PARTS: Parts = [undefined, "ns", undefined, "sa", undefined];

/** Is there a principal that `value`, `value*`, `*value` or `*` speaks of? */
export function canBePrincipal(pattern: string): boolean {
  if (pattern.startsWith("*")) {
    const fromBehind = pattern.slice(1).split("/").toReversed();
    return fits(fromBehind, PARTS.toReversed(), (whole, part) => whole.endsWith(part));
  }
  if (pattern.endsWith("*")) {
    return fits(pattern.slice(0, -1).split("/"), PARTS, (whole, part) => whole.startsWith(part));
  }
  const parts = pattern.split("/");
  return parts.length === PARTS.length && parts.at(-1) !== "" && fits(parts, PARTS, (whole, part) => whole === part);
}

/** Whole parts, and behind them a piece of one more. */
function fits(parts: readonly string[], wanted: Parts, isPiece: (whole: string, piece: string) => boolean): boolean {
  const last = parts.length - 1;
  return (
    parts.length <= wanted.length &&
    parts.every((part, at) => {
      const fixed = wanted[at];
      if (at < last) return fixed === undefined ? part !== "" : part === fixed;
      return fixed === undefined || isPiece(fixed, part);
    })
  );
}
