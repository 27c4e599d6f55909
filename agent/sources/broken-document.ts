import { isMap, isScalar, isSeq, type Document } from "../lib/yaml.ts";
import type { ObjectRef } from "../model/object-ref.ts";
import type { FieldPath } from "../objects/raw-object.ts";
import { groupVersion } from "./identify-object.ts";

/** What a YAML document with an error still tells: which object it is, and which field has the error. */
export interface BrokenPlace {
  /** As far as the document says which object it is; undefined where it names no kind. */
  readonly subject: ObjectRef | undefined;
  readonly field: FieldPath;
}

const MAX_PATH = 32;

export function brokenPlace(document: Document, offset: number): BrokenPlace {
  try {
    const text = (value: unknown): string => (typeof value === "string" ? value : "");
    const kind = text(document.get("kind"));
    const subject: ObjectRef = {
      ...groupVersion(text(document.get("apiVersion"))),
      kind,
      namespace: text(document.getIn(["metadata", "namespace"])),
      name: text(document.getIn(["metadata", "name"])),
    };
    return { subject: kind === "" ? undefined : subject, field: pathAt(document.contents, offset) };
  } catch {
    // The document is no mapping, or it has an alias without an anchor.
    return { subject: undefined, field: [] };
  }
}

/** The field in which the character at `offset` stands. */
function pathAt(root: unknown, offset: number): FieldPath {
  const path: (string | number)[] = [];
  for (let node = root; path.length < MAX_PATH;) {
    if (isMap(node)) {
      const pair = node.items.findLast(({ key }) => startsBefore(key, offset));
      if (pair === undefined || !isScalar(pair.key)) break;
      path.push(String(pair.key.value));
      node = pair.value;
    } else if (isSeq(node)) {
      const index = node.items.findLastIndex((item) => startsBefore(item, offset));
      if (index === -1) break;
      path.push(index);
      node = node.items[index];
    } else break;
  }
  return path;
}

function startsBefore(node: unknown, offset: number): boolean {
  if (typeof node !== "object" || node === null || !("range" in node) || !Array.isArray(node.range)) return false;
  const start: unknown = node.range[0];
  return typeof start === "number" && start <= offset;
}
