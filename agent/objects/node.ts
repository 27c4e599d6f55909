import { canonicalAddress } from "../lib/ip-address.ts";
import type { Node } from "../model/node.ts";
import type { RawObject } from "./raw-object.ts";

/** core/v1 Node: NodeStatus.addresses, which also holds host names. */
export function readNode({ name, value }: RawObject): Node {
  const entries = fieldOf(fieldOf(value, "status"), "addresses");
  const addresses = (Array.isArray(entries) ? entries : []).flatMap((entry) => {
    const text = fieldOf(entry, "address");
    return typeof text === "string" ? (canonicalAddress(text) ?? []) : [];
  });
  return { name, addresses };
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}
