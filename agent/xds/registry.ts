import { createRegistry, toJson, type JsonValue, type Message } from "@bufbuild/protobuf";
import type { Registry } from "@bufbuild/protobuf";
import { files } from "./gen/files.ts";
import { StringValueSchema } from "./proto.ts";

/**
 * Every generated type, so that what is inside an Any can be read and printed. Importing this file decodes all
 * descriptors (about a tenth of a second): only what prints or reads JSON should.
 */
export const registry: Registry = createRegistry(...files, StringValueSchema);

/** A message as proto3 JSON, what is inside its Anys included; field names as in Envoy's documentation (snake case). */
export function toPrintable(message: Message): JsonValue {
  const schema = registry.getMessage(message.$typeName);
  if (schema === undefined) throw new TypeError(`no generated type ${message.$typeName}`);
  return toJson(schema, message, { registry, useProtoFieldName: true });
}
