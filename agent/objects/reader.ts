import { didYouMean } from "./did-you-mean.ts";
import { fieldText, type Notes, type Remark } from "./notes.ts";
import type { FieldPath } from "./raw-object.ts";

type Json = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "a list" : typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** A value in messages, short enough for one line. */
export function quote(value: unknown): string {
  const text = typeof value === "string" ? value : String(value);
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}

/** The words of a text, however its lines are broken: for long lists of names. */
export function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}

/**
 * A field of an object of unknown shape. A missing field reads as undefined (or as an empty list or map). A field of
 * another type reads in the same way, and is reported.
 */
export class Reader {
  readonly path: FieldPath;
  readonly notes: Notes;
  private readonly value: unknown;
  /** Fields without a value are errors: in policies a missing field allows more. */
  private readonly strict: boolean;

  constructor(value: unknown, notes: Notes, options: { readonly path?: FieldPath; readonly strict?: boolean } = {}) {
    this.value = value;
    this.notes = notes;
    this.path = options.path ?? [];
    this.strict = options.strict ?? false;
  }

  /** In Kubernetes a field with the value null is a field that is not there. */
  get present(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  /** Is the field there, even under a misspelt name, which is already reported? */
  get isWritten(): boolean {
    return this.value !== undefined || this.notes.isMisspelt(this.path);
  }

  get isEmptyObject(): boolean {
    return isObject(this.value) && Object.keys(this.value).length === 0;
  }

  field(name: string): Reader {
    const value = isObject(this.value) && Object.hasOwn(this.value, name) ? this.value[name] : undefined;
    return this.child(name, value);
  }

  error(remark: Remark): void {
    this.notes.add("error", this.path, remark);
  }

  warning(remark: Remark): void {
    this.notes.add("warning", this.path, remark);
  }

  /** Reports a required field that is missing. */
  required(): this {
    if (!this.isWritten || (this.value === null && !this.strict)) {
      this.error({
        code: "missing-field",
        reason: `${fieldText(this.path)} is missing`,
        remedy: `Add ${fieldText(this.path)}.`,
      });
    }
    return this;
  }

  /** Reports a value that is not an object, and fields that are not in `known`. */
  fields(known: readonly string[], severity: "error" | "warning" = "error"): this {
    const value = this.is(isObject, "an object");
    if (value === undefined) return this;
    for (const name of Object.keys(value)) {
      if (known.includes(name)) continue;
      const guess = didYouMean(name, known);
      if (guess !== undefined && severity === "error") this.notes.misspelt([...this.path, guess]);
      this.notes.add(severity, [...this.path, name], {
        code: "unknown-field",
        reason: `there is no field ${quote(name)} here`,
        remedy: guess === undefined ? this.adviceOn(known) : `Did you mean ${quote(guess)}?`,
      });
    }
    return this;
  }

  /** Without a restriction a policy lets in more calls than its author wants. */
  private adviceOn(known: readonly string[]): string {
    const names = known.join(", ");
    return this.strict
      ? `Use one of ${names}; without the field the object allows more.`
      : `Remove it, or use one of ${names}.`;
  }

  string(): string | undefined {
    return this.is((value) => typeof value === "string", "a string");
  }

  boolean(): boolean | undefined {
    return this.is((value) => typeof value === "boolean", "true or false");
  }

  integer(min: number, max: number): number | undefined {
    const value = this.is((candidate) => typeof candidate === "number", "a number");
    if (value === undefined || (Number.isInteger(value) && value >= min && value <= max)) return value;
    return this.invalid(
      "out-of-range",
      `${value} is not a whole number from ${min} to ${max}`,
      "Put a number in range.",
    );
  }

  port(): number | undefined {
    return this.integer(1, 65_535);
  }

  oneOf<const T extends string>(values: readonly T[]): T | undefined {
    const value = this.string();
    const found = values.find((candidate) => candidate === value);
    if (value === undefined || found !== undefined) return found;
    const guess = didYouMean(value, values);
    return this.invalid(
      "invalid-value",
      `${quote(value)} is not one of ${values.join(", ")}`,
      guess === undefined ? `Use one of ${values.join(", ")}.` : `Did you mean ${quote(guess)}?`,
    );
  }

  /** A string that `parse` accepts. `parse` returns undefined for all others. */
  parsed<T>(parse: (text: string) => T | undefined, what: string, remedy: string): T | undefined {
    const text = this.string();
    if (text === undefined) return undefined;
    const value = parse(text);
    return value ?? this.invalid("invalid-value", `${quote(text)} is not ${what}`, remedy);
  }

  items(): readonly Reader[] {
    const value = this.is((candidate) => Array.isArray(candidate), "a list");
    return (value ?? []).map((item: unknown, index) => this.child(index, item));
  }

  /** Reads each entry of a list, and leaves out those for which `read` returns undefined. */
  list<T>(read: (item: Reader) => T | undefined): readonly T[] {
    return this.items()
      .map(read)
      .filter((value) => value !== undefined);
  }

  entries(): readonly (readonly [string, Reader])[] {
    const value = this.is(isObject, "an object");
    return Object.entries(value ?? {}).map(([name, entry]) => [name, this.child(name, entry)]);
  }

  /** The raw value, for fields of several types. */
  get raw(): unknown {
    return this.value;
  }

  invalid(code: string, reason: string, remedy: string): undefined {
    this.error({ code, reason, remedy });
    return undefined;
  }

  private child(segment: string | number, value: unknown): Reader {
    return new Reader(value, this.notes, { path: [...this.path, segment], strict: this.strict });
  }

  private is<T>(test: ((value: unknown) => value is T) | ((value: unknown) => boolean), what: string): T | undefined {
    if (this.value === undefined || (this.value === null && !this.strict)) return undefined;
    if (test(this.value)) return this.value as T;
    return this.invalid("wrong-type", `expected ${what}, found ${typeName(this.value)}`, `Write ${what}.`);
  }
}
