import { messageOf } from "../lib/errors.ts";
import { LineCounter, parseAllDocuments } from "../lib/yaml.ts";
import type { Problem } from "../model/problem.ts";
import { ManifestLines } from "./manifest-lines.ts";
import { rawObject } from "./identify-object.ts";
import type { Origin, RawObject } from "./raw-object.ts";

export interface ParsedManifest {
  readonly objects: readonly RawObject[];
  readonly problems: readonly Problem[];
  /** A part of the text is no YAML: what it says is not all that it was meant to say. */
  readonly broken: boolean;
}

interface ParsedDocument {
  readonly value: unknown;
  readonly line?: number | undefined;
  readonly error: { readonly reason: string; readonly line: number | undefined } | undefined;
}

/** Reads the objects of one file: YAML documents, or one JSON value. Never throws. */
export function parseManifest(file: string, layer: number, text: string): ParsedManifest {
  const objects: RawObject[] = [];
  const problems: Problem[] = [];
  const lines = new ManifestLines(text);
  let broken = false;
  for (const [document, { value, line, error }] of parseDocuments(file, text).entries()) {
    if (error !== undefined) {
      broken = true;
      problems.push(syntaxProblem(error.line === undefined ? file : `${file}:${error.line}`, error.reason));
      continue;
    }
    for (const [item, { value: written, path }] of flattenLists(value).entries()) {
      const origin: Origin = {
        layer,
        file,
        document,
        item,
        line,
        lineOf: (field) => lines.lineOf(document, [...path, ...field]),
      };
      const object = rawObject(written, origin, problems);
      if (object !== undefined) objects.push(object);
    }
  }
  return { objects, problems, broken };
}

function syntaxProblem(origin: string, reason: string): Problem {
  return {
    severity: "error",
    code: "invalid-yaml",
    origin,
    object: "",
    field: "",
    reason,
    remedy: "Correct the syntax; until then the objects that this file last gave are served.",
  };
}

function parseDocuments(file: string, text: string): readonly ParsedDocument[] {
  if (file.endsWith(".json")) {
    try {
      // Ten times as fast as the YAML parser, which is left to find the line of an error.
      return [{ value: JSON.parse(text) as unknown, error: undefined }];
    } catch {
      // Not JSON in the strict sense: comments and trailing commas are YAML.
    }
  }
  try {
    const counter = new LineCounter();
    return parseAllDocuments(text, { lineCounter: counter, prettyErrors: false }).map((document) => {
      const [error] = document.errors;
      if (error !== undefined) {
        return { value: undefined, error: { reason: error.message, line: counter.linePos(error.pos[0]).line } };
      }
      try {
        const start = document.contents?.range?.[0];
        const line = start === undefined ? undefined : counter.linePos(start).line;
        return { value: document.toJS({ maxAliasCount: 100 }) as unknown, line, error: undefined };
      } catch (thrown) {
        // Too many aliases, or nested too deeply.
        return { value: undefined, error: { reason: messageOf(thrown), line: undefined } };
      }
    });
  } catch (thrown) {
    return [{ value: undefined, error: { reason: messageOf(thrown), line: undefined } }];
  }
}

interface Written {
  readonly value: unknown;
  readonly path: readonly (string | number)[];
}

const MAX_LIST_DEPTH = 4;

/** The objects of `List`, `PodList` and the like; an empty document has none. */
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
