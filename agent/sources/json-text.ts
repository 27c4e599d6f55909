/** What a JSON text says; undefined where it is none, or where it gives a key twice, of which JSON.parse hides one. */
export function parseJson(text: string): { readonly value: unknown } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return writtenKeys(text) === keysOf(value) ? { value } : undefined;
}

function writtenKeys(text: string): number {
  let count = 0;
  for (const [, colon] of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/gs)) if (colon !== undefined) count++;
  return count;
}

function keysOf(root: unknown): number {
  let count = 0;
  const left: unknown[] = [root];
  while (left.length > 0) {
    const value = left.pop();
    if (typeof value !== "object" || value === null) continue;
    const children: readonly unknown[] = Object.values(value);
    if (!Array.isArray(value)) count += children.length;
    // Not by `push(...children)`: a list may have more entries than a call has room for arguments.
    for (const child of children) left.push(child);
  }
  return count;
}

/** Deeper than any manifest, and shallow enough for everything that walks a value by recursion. */
export const MAX_DEPTH = 100;

export function isTooDeep(root: unknown): boolean {
  let level: readonly unknown[] = [root];
  for (let depth = 0; depth <= MAX_DEPTH; depth++) {
    if (level.length === 0) return false;
    level = level.flatMap((value) => (typeof value === "object" && value !== null ? Object.values(value) : []));
  }
  return level.length > 0;
}
