import { isMap, isPair, isScalar, isSeq, type Document } from "../lib/yaml.ts";

/**
 * Where a map has a key for the second time; undefined where none has. The YAML parser's own check compares each key with all
 * before, which takes minutes for a map of 100,000.
 */
export function repeatedKey({ contents }: Document): number | undefined {
  let first: number | undefined;
  const left: unknown[] = [contents];
  while (left.length > 0) {
    const node = left.pop();
    if (isPair(node)) left.push(node.key, node.value);
    if (isSeq(node)) for (const item of node.items) left.push(item);
    if (!isMap(node)) continue;
    const seen = new Set<unknown>();
    for (const { key, value } of node.items) {
      const known = isScalar(key) ? key.value : key;
      const offset = isScalar(key) ? (key.range?.[0] ?? 0) : 0;
      if (seen.has(known) && offset < (first ?? Infinity)) first = offset;
      seen.add(known);
      left.push(key, value);
    }
  }
  return first;
}
