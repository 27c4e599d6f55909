import { marshalPairs } from "./pairs.ts";
import type { Stream } from "./stream.ts";

/** Of Envoy's expressions what the filters use: a list of properties, `[a.b, c['d.e']]`. undefined where one is not known. */
export function evaluateList(expression: string, stream: Stream): Buffer | undefined {
  if (!expression.startsWith("[") || !expression.endsWith("]")) throw new Error(`the host has no '${expression}'`);
  const members = expression
    .slice(1, -1)
    .split(", ")
    .map((path) => stream.property(propertyPath(path)));
  const known = members.flatMap((bytes) => (bytes === undefined ? [] : [[bytes, Buffer.alloc(0)] as const]));
  return known.length === members.length ? marshalPairs(known) : undefined;
}

/** The ABI's spelling, with NUL between the parts. */
function propertyPath(path: string): string {
  return [...path.matchAll(/\['([^']+)'\]|([a-z_]+)/gu)].map(([, quoted, name]) => quoted ?? name ?? "").join("\0");
}
