import { compareText } from "../lib/compare.ts";
import type { ObjectRef, Place } from "../model/object-ref.ts";
/** A field's place inside an object: names of fields and indices of lists. */
export type FieldPath = readonly (string | number)[];

/** Where an object was read. Together the numbers order all objects of a source, in whatever order it read them. */
export interface Origin {
  /** Later layers override earlier ones: the folder's index in the command line. */
  readonly layer: number;
  /** A file's path, or "kubernetes". */
  readonly file: string;
  /** Index of the YAML document in its file. */
  readonly document: number;
  /** Index among the document's objects: 0, unless the document is a List. */
  readonly item: number;
  /** Nobody but root can change the object there. Objects from elsewhere must not name paths of this machine. */
  readonly guarded?: boolean | undefined;
  /** Line (from 1) at which the object's document begins; undefined where lines make no sense. */
  readonly line?: number | undefined;
  /** Line (from 1) of a field, or of its closest parent that is there; undefined where lines make no sense. */
  readonly lineOf?: (path: FieldPath) => number | undefined;
}

/** An object as it is written. Only its identity has been read. */
export interface RawObject extends ObjectRef {
  /** "default" where the object does not say; "" for cluster-scoped kinds. */
  readonly namespace: string;
  readonly value: Readonly<Record<string, unknown>>;
  readonly origin: Origin;
}

const keys = new WeakMap<RawObject, string>();

/** Two objects with the same key are two versions of one object. */
export function objectKey(object: RawObject): string {
  const known = keys.get(object);
  if (known !== undefined) return known;
  const key = `${object.group}/${object.kind}/${object.namespace}/${object.name}`;
  keys.set(object, key);
  return key;
}

/** The place of a field, or of the whole object. */
export function placeOf({ file, line, lineOf }: Origin, path: FieldPath = []): Place {
  return { file, line: path.length === 0 ? line : lineOf?.(path) };
}

/** Sorts by `comparePrecedence`. Most inputs are in that order already. */
export function byPrecedence(objects: readonly RawObject[]): readonly RawObject[] {
  const inOrder = objects.every((object, index) => {
    const before = objects[index - 1];
    return before === undefined || comparePrecedence(before, object) <= 0;
  });
  return inOrder ? objects : [...objects].sort(comparePrecedence);
}

/** Later layers first, then by file and place in it: of two with one key, the first counts. */
function comparePrecedence(a: RawObject, b: RawObject): number {
  return (
    b.origin.layer - a.origin.layer ||
    compareText(a.origin.file, b.origin.file) ||
    a.origin.document - b.origin.document ||
    a.origin.item - b.origin.item ||
    compareText(objectKey(a), objectKey(b))
  );
}
