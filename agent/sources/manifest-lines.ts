import { isMap, isScalar, LineCounter, parseAllDocuments, type Document } from "../lib/yaml.ts";
import type { FieldPath } from "../objects/raw-object.ts";

/** Finds the lines of fields in a manifest. Parses the text once more when it is first asked. */
export class ManifestLines {
  private readonly text: string;
  private readonly counter = new LineCounter();
  private documents: readonly Document[] | undefined;

  constructor(text: string) {
    this.text = text;
  }

  /** Line, from 1, of a field or of its closest parent that is there. */
  lineOf(document: number, path: FieldPath): number | undefined {
    this.documents ??= parseAllDocuments(this.text, { lineCounter: this.counter, uniqueKeys: false });
    const tree = this.documents[document];
    if (tree === undefined) return undefined;
    let offset = startOf(tree.contents);
    for (let depth = 1; depth <= path.length; depth++) {
      const parent: unknown = depth === 1 ? tree.contents : tree.getIn(path.slice(0, depth - 1), true);
      const found = offsetOfChild(parent, path[depth - 1], () => tree.getIn(path.slice(0, depth), true));
      if (found === undefined) break;
      offset = found;
    }
    return offset === undefined ? undefined : this.counter.linePos(offset).line;
  }
}

/** Where a map's key begins; where a list's entry begins. */
function offsetOfChild(
  parent: unknown,
  segment: string | number | undefined,
  child: () => unknown,
): number | undefined {
  if (!isMap(parent)) return startOf(child());
  const pair = parent.items.find(({ key }) => isScalar(key) && String(key.value) === segment);
  return pair === undefined ? undefined : startOf(pair.key);
}

function startOf(node: unknown): number | undefined {
  if (typeof node !== "object" || node === null || !("range" in node) || !Array.isArray(node.range)) return undefined;
  const start: unknown = node.range[0];
  return typeof start === "number" ? start : undefined;
}
