/** Istio's spelling: `value`, `value*`, `*value`, or `*` for anything but nothing. */
export function matches(pattern: string, value: string): bool {
  if (pattern == "*") return value.length > 0;
  if (pattern.endsWith("*")) return value.startsWith(pattern.substring(0, pattern.length - 1));
  if (pattern.startsWith("*")) return value.endsWith(pattern.substring(1));
  return pattern == value;
}

export function matchesAny(patterns: string[], value: string): bool {
  for (let i = 0; i < patterns.length; i++) if (matches(patterns[i], value)) return true;
  return false;
}

/** As a rule's pair of lists has it: one of `wanted` (or it is empty), and none of `unwanted`. */
export function holds(wanted: string[], unwanted: string[], value: string): bool {
  return (wanted.length == 0 || matchesAny(wanted, value)) && !matchesAny(unwanted, value);
}
