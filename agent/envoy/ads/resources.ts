import { createHash } from "node:crypto";
import type { Message } from "@bufbuild/protobuf";
import { create, toBinary, type Any } from "../../xds/proto.ts";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { guardsEndpoints, isDirect, needsOf, reliesOnFilters, type Need } from "./dependencies.ts";
import { SCHEMAS, urlOf, type ResourceKind, type XdsSnapshot } from "../../xds/snapshot.ts";

/** A resource as Envoy receives it. */
export interface PackedResource {
  readonly name: string;
  /** A hash of the content: the same content has the same version, in this process and in the next. */
  readonly version: string;
  readonly body: Any;
  readonly needs: readonly Need[];
  /** The calling listener's filters guard the pods behind these endpoints, so the filters must be updated first. */
  readonly reliesOnFilters: boolean;
  /** A filter that such endpoints rely on. */
  readonly guardsEndpoints: boolean;
  /** A cluster for one port of a pod that was dialled by its own address: `direct-clusters.ts` bounds them. */
  readonly isDirect: boolean;
}

/** Resources of one kind. */
export interface PackedResources {
  get(name: string): PackedResource | undefined;
  has(name: string): boolean;
  /** The resources of a wildcard subscription. Others are found only by name. */
  values(): Iterable<PackedResource>;
}

/** A snapshot ready to be sent. */
export type PackedSnapshot = Readonly<Record<ResourceKind, PackedResources>>;

/** The last version of each resource that an Envoy accepted. It outlives streams, because a new Envoy starts with nothing. */
export type Accepted = Readonly<Record<ResourceKind, Map<string, PackedResource>>>;

export function noneAccepted(): Accepted {
  return {
    clusters: new Map(),
    endpoints: new Map(),
    secrets: new Map(),
    extensions: new Map(),
    listeners: new Map(),
    routes: new Map(),
    runtime: new Map(),
  };
}

export function packSnapshot(snapshot: XdsSnapshot): PackedSnapshot {
  const lazily = (kind: ResourceKind, onDemand?: ReadonlyMap<string, Message>): PackedResources =>
    new LazilyPacked(kind, snapshot[kind], onDemand);
  return {
    clusters: lazily("clusters", snapshot.onDemandClusters),
    endpoints: lazily("endpoints"),
    secrets: packSecrets(snapshot.secrets),
    extensions: lazily("extensions"),
    listeners: lazily("listeners"),
    routes: lazily("routes"),
    runtime: lazily("runtime"),
  };
}

export function packSecrets(secrets: XdsSnapshot["secrets"]): PackedResources {
  return new LazilyPacked("secrets", secrets, undefined);
}

/** Encodes a resource when it is asked for: a node uses a small part of a large mesh. */
class LazilyPacked implements PackedResources {
  readonly #kind: ResourceKind;
  readonly #always: ReadonlyMap<string, Message | undefined>;
  readonly #onDemand: ReadonlyMap<string, Message> | undefined;

  constructor(
    kind: ResourceKind,
    always: ReadonlyMap<string, Message | undefined>,
    onDemand: ReadonlyMap<string, Message> | undefined,
  ) {
    this.#kind = kind;
    this.#always = always;
    this.#onDemand = onDemand;
  }

  get(name: string): PackedResource | undefined {
    const message = this.#always.get(name) ?? this.#onDemand?.get(name);
    return message === undefined ? undefined : pack(this.#kind, name, message);
  }

  has(name: string): boolean {
    return this.#always.has(name) || this.#onDemand?.has(name) === true;
  }

  *values(): Generator<PackedResource> {
    for (const [name, message] of this.#always) if (message !== undefined) yield pack(this.#kind, name, message);
  }
}

// `compile` keeps unchanged messages, so only changed messages are encoded again.
const packedByMessage = new WeakMap<Message, PackedResource>();

export function pack(kind: ResourceKind, name: string, message: Message): PackedResource {
  const known = packedByMessage.get(message);
  if (known?.name === name) return known;
  const value = toBinary(SCHEMAS[kind], message);
  const packed = {
    name,
    version: createHash("sha256").update(value).digest("base64url").slice(0, 22),
    body: create(AnySchema, { typeUrl: urlOf(kind), value }),
    needs: needsOf(message),
    reliesOnFilters: reliesOnFilters(message),
    guardsEndpoints: guardsEndpoints(message),
    isDirect: isDirect(message),
  };
  packedByMessage.set(message, packed);
  return packed;
}
