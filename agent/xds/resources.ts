import { createHash } from "node:crypto";
import type { Message } from "@bufbuild/protobuf";
import { create, toBinary, type Any } from "./proto.ts";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { needsOf, type Need } from "./dependencies.ts";
import { KINDS, SCHEMAS, urlOf, type ResourceKind, type XdsSnapshot } from "./types.ts";

/** A resource as it goes over the wire. */
export interface PackedResource {
  readonly name: string;
  /** A hash of the content: the same content has the same version, in this process and in the next. */
  readonly version: string;
  readonly body: Any;
  readonly needs: readonly Need[];
}

/** A snapshot ready to be sent. */
export type PackedSnapshot = Readonly<Record<ResourceKind, ReadonlyMap<string, PackedResource>>>;

// A compiler that keeps unchanged messages pays for encoding only what changed.
const packedByMessage = new WeakMap<Message, PackedResource>();

export function packSnapshot(snapshot: XdsSnapshot): PackedSnapshot {
  const packed = KINDS.map((kind) => [kind, packAll(kind, snapshot[kind])] as const);
  return Object.fromEntries(packed) as Record<ResourceKind, ReadonlyMap<string, PackedResource>>;
}

function packAll(kind: ResourceKind, messages: ReadonlyMap<string, Message>): ReadonlyMap<string, PackedResource> {
  return new Map(Array.from(messages, ([name, message]) => [name, pack(kind, name, message)]));
}

function pack(kind: ResourceKind, name: string, message: Message): PackedResource {
  const known = packedByMessage.get(message);
  if (known?.name === name) return known;
  const value = toBinary(SCHEMAS[kind], message);
  const packed = {
    name,
    version: createHash("sha256").update(value).digest("base64url").slice(0, 22),
    body: create(AnySchema, { typeUrl: urlOf(kind), value }),
    needs: needsOf(message),
  };
  packedByMessage.set(message, packed);
  return packed;
}
