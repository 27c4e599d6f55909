interface Written {
  readonly value: unknown;
  readonly path: readonly (string | number)[];
}

const MAX_LIST_DEPTH = 4;

/** The objects of `List`, `PodList` and the like, with their place in the document; an empty document has none. */
export function flattenLists(value: unknown, path: Written["path"] = [], depth = 0): readonly Written[] {
  if (value === null || value === undefined) return [];
  if (typeof value !== "object" || !("kind" in value) || !("items" in value)) return [{ value, path }];
  const { kind, items } = value;
  if (typeof kind !== "string" || !kind.endsWith("List") || !Array.isArray(items) || depth === MAX_LIST_DEPTH) {
    return [{ value, path }];
  }
  // `kubectl get -o json` leaves apiVersion and kind out of the items of a typed list.
  const inherited =
    kind === "List" || !("apiVersion" in value)
      ? {}
      : { apiVersion: value.apiVersion, kind: kind.slice(0, -"List".length) };
  return items.flatMap((item: unknown, index) => {
    const full = typeof item === "object" && item !== null && !Array.isArray(item) ? { ...inherited, ...item } : item;
    return flattenLists(full, [...path, "items", index], depth + 1);
  });
}
