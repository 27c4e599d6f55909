import type { ResourceKind } from "../../xds/snapshot.ts";
import type { PackedResource, PackedResources } from "./resources.ts";
import type { RouteSalvage } from "./route-salvage.ts";

/** A resource that Envoy rejected. Envoy keeps the version before, if there was one. */
export interface Rejection {
  readonly kind: ResourceKind;
  readonly name: string;
  readonly version: string;
  readonly message: string;
  /** RFC 3339. */
  readonly time: string;
  /** Set where Envoy has all of it but these parts: names of virtual hosts. */
  readonly parts?: readonly string[];
}

/** A rejection, and when the same version is tried again. */
interface Rejected extends Rejection {
  /** How often Envoy has rejected this version. */
  readonly times: number;
  /** In milliseconds since 1970. */
  retryAt: number;
}

/** A response that Envoy has not answered yet. */
interface InFlight {
  readonly nonce: string;
  readonly resources: readonly PackedResource[];
  readonly before: ReadonlyMap<string, string | undefined>;
}

/** What Envoy has asked for, has and has rejected of one kind. */
export interface KindState {
  wildcard: boolean;
  readonly names: Set<string>;
  /** What Envoy has, or will have once it answers: name → version. */
  readonly has: Map<string, string>;
  /** Requested by name and not there: Envoy is told once, or it would wait. */
  readonly missing: Set<string>;
  /** Taken away by `drop`, or refused: Envoy is told once. It may ask again. */
  readonly dropped: Set<string>;
  readonly rejected: Map<string, Rejected>;
  /** Names of which Envoy has rejected a version, and has accepted none since that was wanted. */
  readonly failing: Set<string>;
  /** For rejected route tables: what Envoy accepts of them. */
  readonly salvage: Map<string, RouteSalvage>;
  inFlight: InFlight | undefined;
  asked: boolean;
  /** A client that has nothing yet waits for an answer to its wildcard, even for an empty one. */
  owesAnswer: boolean;
  /** The most resources in one response. It is small only while the agent looks for the cause of a refusal. */
  batchLimit: number;
}

export function newKindState(): KindState {
  return {
    wildcard: false,
    names: new Set(),
    has: new Map(),
    missing: new Set(),
    dropped: new Set(),
    rejected: new Map(),
    failing: new Set(),
    salvage: new Map(),
    inFlight: undefined,
    asked: false,
    owesAnswer: false,
    batchLimit: Infinity,
  };
}

/** The resources that a subscription covers, each once: those of the wildcard, and those requested by name beside it. */
export function* wantedOf({ wildcard, names }: KindState, resources: PackedResources): Generator<PackedResource> {
  const given = new Set<string>();
  if (wildcard) {
    for (const resource of resources.values()) {
      given.add(resource.name);
      yield resource;
    }
  }
  for (const name of names) {
    const resource = given.has(name) ? undefined : resources.get(name);
    if (resource !== undefined) yield resource;
  }
}
