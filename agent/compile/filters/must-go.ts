import { compareText } from "../../lib/compare.ts";

/** Something that takes part of what all namespaces share. */
export interface Sharer {
  readonly id: string;
  readonly namespace: string;
  /** What it takes itself. */
  readonly size: number;
  /** What it takes together with others: it is there once, as long as one of them is. */
  readonly shared: readonly string[];
}

/**
 * Which ones have to go so that the others fit into `total`. Of the namespace that takes the most goes the largest one, again and
 * again, so that a namespace that takes little keeps all of it, whatever others do.
 */
export function mustGo<T extends Sharer>(
  all: readonly T[],
  sharedSizes: ReadonlyMap<string, number>,
  total: number,
): readonly T[] {
  const users = new Map<string, number>();
  for (const { shared } of all) for (const part of shared) users.set(part, (users.get(part) ?? 0) + 1);
  let size = all.reduce((sum, each) => sum + each.size, 0);
  for (const part of users.keys()) size += sharedSizes.get(part) ?? 0;
  if (size <= total) return [];
  const weigh = weights(users, sharedSizes);
  const namespaces = byNamespace(all, weigh);
  const gone: T[] = [];
  while (size > total) {
    const most = namespaces.reduce((a, b) => (b.taken > a.taken ? b : a));
    const next = most.waiting.pop();
    if (next === undefined) break;
    gone.push(next.sharer);
    // What is left of the sum of fractions is nothing.
    most.taken = most.waiting.length === 0 ? 0 : most.taken - next.weight;
    size -= next.sharer.size;
    for (const part of next.sharer.shared) {
      const others = (users.get(part) ?? 0) - 1;
      users.set(part, others);
      if (others === 0) size -= sharedSizes.get(part) ?? 0;
    }
  }
  return gone;
}

/** What is shared counts by equal parts. */
function weights(
  users: ReadonlyMap<string, number>,
  sharedSizes: ReadonlyMap<string, number>,
): (sharer: Sharer) => number {
  const parts = new Map([...users].map(([part, count]) => [part, (sharedSizes.get(part) ?? 0) / count]));
  return ({ size, shared }) => shared.reduce((sum, part) => sum + (parts.get(part) ?? 0), size);
}

interface Weighed<T> {
  readonly sharer: T;
  readonly weight: number;
}

interface Namespace<T> {
  readonly name: string;
  taken: number;
  /** The largest one last. */
  readonly waiting: Weighed<T>[];
}

function byNamespace<T extends Sharer>(all: readonly T[], weigh: (sharer: T) => number): readonly Namespace<T>[] {
  const found = new Map<string, Namespace<T>>();
  const weighed = all.map((sharer) => ({ sharer, weight: weigh(sharer) }));
  weighed.sort((a, b) => a.weight - b.weight || compareText(b.sharer.id, a.sharer.id));
  for (const each of weighed) {
    const name = each.sharer.namespace;
    const known = found.get(name) ?? { name, taken: 0, waiting: [] };
    known.taken += each.weight;
    known.waiting.push(each);
    found.set(name, known);
  }
  return [...found.values()].toSorted((a, b) => compareText(a.name, b.name));
}
