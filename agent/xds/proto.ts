import { create, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack, DurationSchema, type Any, type Duration } from "@bufbuild/protobuf/wkt";

// Only this file imports the protobuf runtime; generated types come from `./gen/…_pb.ts`.
export { create, fromBinary, isMessage, toBinary } from "@bufbuild/protobuf";
export type { DescMessage, JsonObject, JsonValue, Message, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
export { AnySchema, DurationSchema, StringValueSchema } from "@bufbuild/protobuf/wkt";
export type { Any, Duration } from "@bufbuild/protobuf/wkt";

/**
 * The type URL by which xDS names a message type, for example `type.googleapis.com/envoy.config.cluster.v3.Cluster`.
 */
export function typeUrl(schema: DescMessage): string {
  return `type.googleapis.com/${schema.typeName}`;
}

/**
 * Packs a message into an Any: `any(RouterSchema, { … })`. `message`: fields as `create` takes them, or a finished
 * message.
 */
export function any<D extends DescMessage>(schema: D, message: MessageInitShape<D> = {} as MessageInitShape<D>): Any {
  return anyPack(schema, create(schema, message));
}

/** The same time as a Duration. */
export function milliseconds(ms: number): Duration {
  const seconds = Math.trunc(ms / 1000);
  return create(DurationSchema, { seconds: BigInt(seconds), nanos: Math.round((ms - seconds * 1000) * 1e6) });
}
