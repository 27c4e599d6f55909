export type Json = Readonly<Record<string, unknown>>;

/** The object at a path; undefined where there is none. */
export function at(value: unknown, ...path: readonly string[]): Json | undefined {
  const found = path.reduce<unknown>((object, field) => (isObject(object) ? object[field] : undefined), value);
  return isObject(found) ? found : undefined;
}

/** The list at a path; empty where there is none. */
export function list(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const field = path.at(-1);
  const parent = at(value, ...path.slice(0, -1));
  const found = field === undefined ? undefined : parent?.[field];
  return Array.isArray(found) ? found : [];
}

/** The text or number at a path, as text; "" where there is none. */
export function text(value: unknown, ...path: readonly string[]): string {
  const field = path.at(-1);
  const parent = at(value, ...path.slice(0, -1));
  const found = field === undefined ? undefined : parent?.[field];
  return typeof found === "string" || typeof found === "number" ? String(found) : "";
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
