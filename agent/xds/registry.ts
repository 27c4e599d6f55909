import { createRegistry, toJson, type JsonValue, type Message } from "@bufbuild/protobuf";
import type { Registry } from "@bufbuild/protobuf";
import { files } from "./gen/files.ts";
import { StringValueSchema } from "./proto.ts";

/**
 * Every generated type, so that messages inside an Any can be read and printed. Importing this file decodes all
 * descriptors (about a tenth of a second): import it only to print or read JSON.
 */
export const registry: Registry = createRegistry(...files, StringValueSchema);

/** The message as proto3 JSON, with the contents of its Anys; field names as in Envoy's documentation (snake case). */
export function toPrintable(message: Message): JsonValue {
  const schema = registry.getMessage(message.$typeName);
  if (schema === undefined) throw new TypeError(`no generated type ${message.$typeName}`);
  return toJson(schema, message, { registry, useProtoFieldName: true });
}
