import { isMap, isScalar, parseAllDocuments } from "../lib/yaml.ts";

/** What joins or leaves the mesh: a namespace, or one of its pods. */
export interface EnrollmentTarget {
  readonly namespace: string;
  /** undefined: the whole namespace. */
  readonly pod: string | undefined;
}

/** The result of an edit: the new text, or the reason why there is none. */
export type LabelEdit =
  { readonly kind: "edited"; readonly text: string } | { readonly kind: "unchanged" } | { readonly kind: "not-here" };

/**
 * Sets a label of a Namespace or a Pod in the text of a manifest. Only the label's own characters change: comments,
 * order and layout of everything else stay. A Namespace without the label is outside already, so it does not get 'none'.
 */
export function editLabel(text: string, target: EnrollmentTarget, key: string, value: string): LabelEdit {
  for (const document of parseAllDocuments(text)) {
    const root: unknown = document.contents;
    if (document.errors.length > 0 || !isMap(root) || !isTarget(root, target)) continue;
    const metadata = child(root, "metadata");
    if (!isMap(metadata)) continue;
    const labels = child(metadata, "labels");
    const current = isMap(labels) ? child(labels, key) : undefined;
    if (isScalar(current) && current.range) {
      if (String(current.value) === value) return { kind: "unchanged" };
      const [from, to] = current.range;
      return edited(text, from, to, text[from] === '"' ? `"${value}"` : spelled(value));
    }
    if (value === "none" && target.pod === undefined) return { kind: "unchanged" };
    if (isMap(labels) && labels.items.length > 0) return insertFirst(text, labels, [[key, value]]);
    if (isMap(labels) && labels.range) return edited(text, labels.range[0], labels.range[1], inBraces(key, value));
    if (metadata.has("labels")) continue; // Null or not a map: the author has to mend that.
    return insertFirst(text, metadata, [["labels"], [key, value]]);
  }
  return { kind: "not-here" };
}

function isTarget(root: unknown, { namespace, pod }: EnrollmentTarget): boolean {
  if (!isMap(root)) return false;
  const metadata = child(root, "metadata");
  if (!isMap(metadata)) return false;
  const kind = root.get("kind");
  const name = metadata.get("name");
  if (pod === undefined) return kind === "Namespace" && name === namespace;
  return kind === "Pod" && name === pod && (metadata.get("namespace") ?? "default") === namespace;
}

function child(map: { get(key: unknown, keepScalar: true): unknown }, key: string): unknown {
  return map.get(key, true);
}

/**
 * Puts an entry before the first entry of a map, in the style of that map: in braces (quoted as JSON if its keys are), or on
 * a line of its own. `[["labels"], [key, value]]` is an entry inside a new map.
 */
function insertFirst(
  text: string,
  map: { readonly flow?: boolean; readonly items: readonly { readonly key: unknown }[] },
  entry: readonly (readonly string[])[],
): LabelEdit {
  const first = map.items[0]?.key;
  if (!isScalar(first) || !first.range) return { kind: "not-here" };
  const at = first.range[0];
  const [key = "", value = ""] = entry.at(-1) ?? [];
  if (map.flow === true) {
    const json = text[at] === '"';
    const inner = json ? `"${key}": "${value}"` : `${key}: ${spelled(value)}`;
    const label = json ? '"labels"' : "labels";
    return edited(text, at, at, entry.length > 1 ? `${label}: { ${inner} }, ` : `${inner}, `);
  }
  const indent = " ".repeat(at - (text.lastIndexOf("\n", at - 1) + 1));
  const line = `${key}: ${spelled(value)}\n${indent}`;
  return edited(text, at, at, entry.length > 1 ? `labels:\n${indent}  ${line}` : line);
}

/** JSON within YAML: both can read it. */
function inBraces(key: string, value: string): string {
  return `{ "${key}": "${value}" }`;
}

function edited(text: string, from: number, to: number, replacement: string): LabelEdit {
  return { kind: "edited", text: text.slice(0, from) + replacement + text.slice(to) };
}

/** Quoted where YAML would not read it as a string. */
function spelled(value: string): string {
  const plain = /^[a-zA-Z][\w.-]*$/.test(value) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(value);
  return plain ? value : `"${value}"`;
}
