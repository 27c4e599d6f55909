type Parts = readonly (string | undefined)[];

/** `trust-domain/ns/namespace/sa/service-account`; undefined: any name. */
const PARTS: Parts = [undefined, "ns", undefined, "sa", undefined];

/** Can a principal match the pattern `value`, `value*`, `*value` or `*`? */
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

/** Compares whole parts, and the last one as a piece of a part. */
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
