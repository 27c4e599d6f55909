import type { Namespace } from "../model/namespace.ts";
import { readMeta } from "./object-meta.ts";
import type { RawObject } from "./raw-object.ts";
import type { Reader } from "./reader.ts";

/** core/v1 Namespace. */
export function readNamespace(root: Reader, object: RawObject): Namespace | undefined {
  const meta = readMeta(root, object, "label");
  return meta === undefined ? undefined : { meta };
}
