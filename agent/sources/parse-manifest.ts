import { messageOf } from "../lib/errors.ts";
import { LineCounter, parseAllDocuments, type Document } from "../lib/yaml.ts";
import type { ObjectRef } from "../model/object-ref.ts";
import type { Problem } from "../model/problem.ts";
import { brokenPlace, type BrokenPlace } from "./broken-document.ts";
import { rawObject } from "./identify-object.ts";
import { repeatedKey } from "./repeated-key.ts";
import { ManifestLines } from "./manifest-lines.ts";
import { fieldText } from "../objects/notes.ts";
import type { Origin, RawObject } from "../objects/raw-object.ts";

/** No manifest is this deep, and recursive functions can walk a value of this depth. */
const MAX_DEPTH = 100;
const MAX_LIST_DEPTH = 4;

export interface ParsedManifest {
  readonly objects: readonly RawObject[];
  readonly problems: readonly Problem[];
  /** How many of its parts cannot be identified as an object. The file then says less than its author means. */
  readonly faults: number;
}

interface Fault extends BrokenPlace {
  readonly reason: string;
  readonly line: number | undefined;
}

type ParsedDocument =
  | { readonly value: unknown; readonly line: number | undefined; readonly fault?: undefined }
  | { readonly fault: Fault };

/**
 * Reads the objects of one file: YAML documents, or one JSON value. Never throws. `guarded`: only root can change the
 * file.
 */
export function parseManifest(file: string, layer: number, text: string, guarded = false): ParsedManifest {
  const objects: RawObject[] = [];
  const problems: Problem[] = [];
  const lines = new ManifestLines(text);
  let faults = 0;
  for (const [document, parsed] of parseDocuments(file, text).entries()) {
    if (parsed.fault !== undefined) {
      faults++;
      problems.push(syntaxProblem(file, parsed.fault));
      continue;
    }
    for (const [item, { value: written, path }] of flattenLists(parsed.value).entries()) {
      const origin: Origin = {
        layer,
        file,
        document,
        item,
        guarded,
        line: parsed.line,
        lineOf: (field) => lines.lineOf(document, [...path, ...field]),
      };
      const object = rawObject(written, origin, problems);
      if (object === undefined) faults++;
      else objects.push(object);
    }
  }
  return { objects, problems, faults };
}

function syntaxProblem(file: string, { reason, line, subject, field }: Fault): Problem {
  return {
    severity: "error",
    code: "invalid-yaml",
    origin: { file, line },
    subject,
    field: fieldText(field),
    reason,
    remedy: "Correct the syntax there. The other documents of the file are read all the same.",
  };
}

function parseDocuments(file: string, text: string): readonly ParsedDocument[] {
  if (file.endsWith(".json")) {
    // Ten times as fast as the YAML parser, which reads only JSON with errors or comments.
    const json = parseJson(text);
    if (json !== undefined) return [checked(() => json.value, undefined, undefined)];
  }
  try {
    const counter = new LineCounter();
    const options = { lineCounter: counter, prettyErrors: false, logLevel: "error", uniqueKeys: false } as const;
    return parseAllDocuments(text, options).map((document) => {
      const line = (offset: number | undefined): number | undefined =>
        offset === undefined ? undefined : counter.linePos(offset).line;
      const [error] = document.errors;
      const repeated = error === undefined ? repeatedKey(document) : undefined;
      const place = brokenPlace(document, error?.pos[0] ?? repeated ?? 0);
      if (error !== undefined) return { fault: { ...place, reason: error.message, line: line(error.pos[0]) } };
      if (repeated !== undefined)
        return { fault: { ...place, reason: "Map keys must be unique", line: line(repeated) } };
      return checked(() => toValue(document), line(document.contents?.range?.[0]), place.subject);
    });
  } catch (thrown) {
    return [{ fault: { subject: undefined, field: [], reason: messageOf(thrown), line: undefined } }];
  }
}

function toValue(document: Document): unknown {
  return document.toJS({ maxAliasCount: 100 });
}

/** A document's value, or why it is refused: too many aliases, nested too deeply. */
function checked(read: () => unknown, line: number | undefined, subject: ObjectRef | undefined): ParsedDocument {
  try {
    const value = read();
    if (!isTooDeep(value)) return { value, line };
    return { fault: { subject, field: [], reason: `it is nested more than ${MAX_DEPTH} levels deep`, line } };
  } catch (thrown) {
    return { fault: { subject, field: [], reason: messageOf(thrown), line } };
  }
}

interface Written {
  readonly value: unknown;
  readonly path: readonly (string | number)[];
}

/** The objects of `List`, `PodList` and the like, with their place in the document; an empty document has none. */
function flattenLists(value: unknown, path: Written["path"] = [], depth = 0): readonly Written[] {
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

/** The value of a JSON text; undefined if it is not JSON, or if it holds a key twice, which JSON.parse hides. */
function parseJson(text: string): { readonly value: unknown } | undefined {
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

function isTooDeep(root: unknown): boolean {
  let level: readonly unknown[] = [root];
  for (let depth = 0; depth <= MAX_DEPTH; depth++) {
    if (level.length === 0) return false;
    level = level.flatMap((value) => (typeof value === "object" && value !== null ? Object.values(value) : []));
  }
  return level.length > 0;
}
