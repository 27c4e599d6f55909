import { SYSTEM_CLOCK, type Clock } from "../../lib/clock.ts";
import { throughOwnFilters, withoutEndpoints } from "./own-filters.ts";
import { newKindState, wantedOf, type KindState, type Rejection } from "./kind-state.ts";
import { RouteSalvage } from "./route-salvage.ts";
import { STEPS, WILDCARD_KINDS, type StepMode } from "./order.ts";
import { noneAccepted, type Accepted, type PackedResource, type PackedSnapshot } from "./resources.ts";
import { KINDS, type ResourceKind } from "../../xds/snapshot.ts";

/** The fields of a DeltaDiscoveryRequest that the state machine uses. */
export interface StreamRequest {
  readonly kind: ResourceKind;
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** The versions that Envoy has already, by name; only in the first request for a kind. */
  readonly initialVersions: Readonly<Record<string, string>>;
  /** The response that this one answers; "" for none. */
  readonly nonce: string;
  /** Set if Envoy rejects that response. */
  readonly error: string | undefined;
}

export interface StreamResponse {
  readonly kind: ResourceKind;
  readonly nonce: string;
  readonly resources: readonly PackedResource[];
  readonly removed: readonly string[];
}

/** A rejected version is tried again after this time, then after twice as long, and so on. */
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;

/** Stands for a version: Envoy may have the version sent last, or the one before it. */
const UNCERTAIN = "";

/** Responses are smaller than this, so that a large configuration arrives in several pieces. */
const RESPONSE_BYTES = 2 << 20;

/**
 * One delta ADS stream as a pure state machine (xDS protocol, "Incremental xDS"): requests and targets go in, responses
 * come out. One response of a kind is in flight at a time, and steps follow `order.ts`. The version that was accepted before is sent
 * in place of a rejected one. The rejected one is tried again, alone: when another resource that was rejected has recovered, as
 * it may be what was missing, and after some time, which grows.
 */
export class AdsStream {
  readonly #kinds = new Map<ResourceKind, KindState>(KINDS.map((kind) => [kind, newKindState()]));
  readonly #accepted: Accepted;
  readonly #clock: Pick<Clock, "now">;
  #target: PackedSnapshot | undefined;
  #nonce = 0;

  constructor(accepted: Accepted = noneAccepted(), clock: Pick<Clock, "now"> = SYSTEM_CLOCK) {
    this.#accepted = accepted;
    this.#clock = clock;
  }

  setTarget(target: PackedSnapshot): void {
    this.#target = target;
    for (const [kind, state] of this.#kinds) {
      for (const [name, { version }] of state.rejected) {
        if (target[kind].get(name)?.version === version) continue;
        state.rejected.delete(name);
        state.salvage.delete(name);
      }
    }
  }

  onRequest(request: StreamRequest): void {
    const state = this.#state(request.kind);
    // A first request without names is a wildcard ("legacy wildcard"), for the kinds that have one.
    if (!state.asked && WILDCARD_KINDS.includes(request.kind)) {
      state.wildcard = request.subscribe.length === 0 && !request.unsubscribe.includes("*");
    }
    for (const name of request.subscribe) this.#subscribe(state, request.kind, name);
    if (!state.asked) {
      for (const [name, version] of Object.entries(request.initialVersions)) state.has.set(name, version);
      state.owesAnswer = state.wildcard && state.has.size === 0;
      state.asked = true;
    }
    for (const name of request.unsubscribe) {
      if (name === "*") state.wildcard = false;
      state.names.delete(name);
      state.missing.delete(name);
      state.dropped.delete(name);
      if (!state.wildcard) state.has.delete(name);
    }
    if (state.inFlight === undefined || state.inFlight.nonce !== request.nonce) return;
    if (request.error !== undefined) this.#reject(request.kind, state, request.error);
    else this.#accept(request.kind, state, state.inFlight.resources);
    state.inFlight = undefined;
  }

  /** Names of the resources that Envoy has. */
  held(kind: ResourceKind): readonly string[] {
    return [...this.#state(kind).has.keys()];
  }

  /** Takes resources away that Envoy has asked for by name; it may ask for them again. */
  drop(kind: ResourceKind, names: readonly string[]): void {
    const state = this.#state(kind);
    for (const name of names) {
      state.names.delete(name);
      state.missing.delete(name);
      state.rejected.delete(name);
      state.dropped.add(name);
    }
  }

  /** The responses that can be sent now. Call it after every request and target, until it returns none. */
  next(): readonly StreamResponse[] {
    return this.#advance().responses;
  }

  /** True when Envoy has all resources of the target that it requested and did not reject. */
  get converged(): boolean {
    return this.#target !== undefined && this.#advance(true).complete;
  }

  /** When a rejected resource is tried again, in milliseconds since 1970: call `next` then. undefined: there is none. */
  get retryAt(): number | undefined {
    const times = [...this.#kinds.values()].flatMap(({ rejected }) =>
      [...rejected.values()].map((each) => each.retryAt),
    );
    return times.length === 0 ? undefined : times.reduce((a, b) => Math.min(a, b));
  }

  get rejections(): readonly Rejection[] {
    return [...this.#kinds.values()].flatMap(({ rejected, salvage }) =>
      [...rejected.values()].map(({ kind, name, version, message, time }) => {
        const parts = salvage.get(name)?.refused;
        return { kind, name, version, message, time, ...(parts && { parts }) };
      }),
    );
  }

  #advance(dry = false): { readonly responses: readonly StreamResponse[]; readonly complete: boolean } {
    const target = this.#target;
    if (target === undefined) return { responses: [], complete: false };
    const responses: StreamResponse[] = [];
    for (const { mode, kinds, awaits } of STEPS) {
      let complete = true;
      for (const kind of kinds) {
        const state = this.#state(kind);
        if (!state.asked && WILDCARD_KINDS.includes(kind)) complete = false;
        if (!state.asked) continue;
        if (state.inFlight === undefined) {
          const difference = this.#difference(kind, state, target, mode);
          if (difference === undefined) {
            if (mode === "upsert" || mode === "both") state.batchLimit = Infinity;
            continue;
          }
          if (!dry) responses.push(this.#send(kind, state, difference));
        }
        complete = false;
      }
      if (!complete || !awaits.every(({ from, to }) => this.#arrived(from, to, target))) {
        return { responses, complete: false };
      }
    }
    return { responses, complete: true };
  }

  #difference(
    kind: ResourceKind,
    state: KindState,
    target: PackedSnapshot,
    mode: StepMode,
  ): { readonly resources: readonly PackedResource[]; readonly removed: readonly string[] } | undefined {
    const resources: PackedResource[] = [];
    /** A rejected version whose time has come. */
    let again: PackedResource | undefined;
    let bytes = 0;
    /** False: the response is full. */
    const add = (resource: PackedResource): boolean => {
      const size = resource.body.value.length;
      if (bytes > 0 && bytes + size > RESPONSE_BYTES) return false;
      if (resources.length >= state.batchLimit) return false;
      bytes += size;
      resources.push(resource);
      return true;
    };
    if (mode !== "remove") {
      const unguarded = kind === "endpoints" && this.#filtersBehind(target);
      for (const wanted of wantedOf(state, target[kind])) {
        const rejected = state.rejected.get(wanted.name);
        const refused = rejected?.version === wanted.version;
        const held = unguarded && wanted.reliesOnFilters;
        // The older endpoints fit the older filters.
        if (held && (state.has.get(wanted.name) ?? UNCERTAIN) !== UNCERTAIN) continue;
        if (refused && !held && this.#clock.now() >= rejected.retryAt) again ??= wanted;
        const standIn = state.salvage.get(wanted.name)?.candidate ?? this.#accepted[kind].get(wanted.name);
        const resource = held ? (standIn ?? withoutEndpoints(wanted.name)) : refused ? standIn : wanted;
        if (resource === undefined || state.has.get(resource.name) === resource.version) continue;
        if (mode === "early" && resource.reliesOnFilters) continue;
        if (!add(resource)) break;
      }
      if (mode === "early" && kind === "endpoints") {
        for (const resource of this.#unguardedSoon(state, target)) if (!add(resource)) break;
      }
    }
    // Alone, so that a refusal tells what it is about.
    if (resources.length === 0 && again !== undefined && !(mode === "early" && again.reliesOnFilters))
      resources.push(again);
    const gone =
      mode === "upsert" || mode === "early" ? [] : [...state.has.keys()].filter((name) => !target[kind].has(name));
    const missing = [...state.missing].filter((name) => !target[kind].has(name));
    const dropped = mode === "upsert" || mode === "early" ? [] : state.dropped;
    const removed = [...new Set([...gone, ...missing, ...dropped])];
    if (resources.length > 0 || removed.length > 0 || state.owesAnswer) return { resources, removed };
    return undefined;
  }

  #send(
    kind: ResourceKind,
    state: KindState,
    { resources, removed }: { readonly resources: readonly PackedResource[]; readonly removed: readonly string[] },
  ): StreamResponse {
    const nonce = String(++this.#nonce);
    state.inFlight = { nonce, resources, before: new Map(resources.map(({ name }) => [name, state.has.get(name)])) };
    for (const { name, version, needs } of resources) {
      state.has.set(name, version);
      // A changed cluster warms again and waits for its endpoints, but Envoy does not request them again.
      if (kind === "clusters") for (const need of needs) this.#state(need.kind).has.delete(need.name);
    }
    state.owesAnswer = false;
    for (const name of removed) {
      state.has.delete(name);
      state.missing.delete(name);
      state.dropped.delete(name);
      state.failing.delete(name);
      this.#accepted[kind].delete(name);
    }
    return { kind, nonce, resources, removed };
  }

  #accept(kind: ResourceKind, state: KindState, resources: readonly PackedResource[]): void {
    let recovered = false;
    for (const resource of resources) {
      const { name, version } = resource;
      const changed = this.#accepted[kind].get(name)?.version !== version;
      this.#accepted[kind].set(name, resource);
      state.salvage.get(name)?.answered(version, true);
      if (state.rejected.get(name)?.version === version) {
        state.rejected.delete(name);
        state.salvage.delete(name);
      }
      const isWanted = this.#target?.[kind].get(name)?.version === version;
      if (kind === "extensions" && changed) this.#forgetGuarded(isWanted ? this.#target : undefined);
      if (isWanted && state.failing.delete(name)) recovered = true;
    }
    if (!recovered) return;
    // Each recovery gives the others one more try at once. A resource recovers once, so this ends.
    for (const { rejected } of this.#kinds.values())
      for (const each of rejected.values()) each.retryAt = this.#clock.now();
  }

  /** Endpoints that rely on filters stand in for newer ones only if these filters belong to the same target. */
  #forgetGuarded(target: PackedSnapshot | undefined): void {
    const { endpoints } = this.#accepted;
    for (const [name, { version, reliesOnFilters }] of endpoints)
      if (reliesOnFilters && target?.endpoints.get(name)?.version !== version) endpoints.delete(name);
  }

  /**
   * The resources to blame wait for their next try. Envoy may have accepted any of the others or none (an error ends the delivery
   * to the watches after it), so they are sent again: in halves, as long as the message does not tell which one is to blame.
   */
  #reject(kind: ResourceKind, state: KindState, message: string): void {
    const before = state.inFlight?.before ?? new Map<string, string | undefined>();
    const blamed = new Set(blamedIn(message, [...before.keys()]));
    for (const [name, version] of before) {
      const sent = state.has.get(name);
      // Envoy has requested it again or dropped it since, so the version before does not matter any more.
      if (sent === undefined) continue;
      if (!blamed.has(name)) state.has.set(name, UNCERTAIN);
      else if (version === undefined) state.has.delete(name);
      else state.has.set(name, version);
      if (!blamed.has(name)) continue;
      // Envoy accepted this version once, perhaps when a network namespace existed that is gone now.
      if (this.#accepted[kind].get(name)?.version === sent) this.#accepted[kind].delete(name);
      state.salvage.get(name)?.answered(sent, false);
      const wanted = this.#target?.[kind].get(name);
      if (wanted?.version !== sent) continue;
      const now = this.#clock.now();
      const known = state.rejected.get(name);
      const times = known?.version === sent ? known.times + 1 : 1;
      const retryAt = now + Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** (times - 1));
      const time = known?.version === sent ? known.time : new Date(now).toISOString();
      state.rejected.set(name, { kind, name, version: sent, message, time, times, retryAt });
      state.failing.add(name);
      if (kind !== "routes" || state.salvage.has(name)) continue;
      const salvage = RouteSalvage.of(wanted, this.#accepted[kind].get(name));
      if (salvage !== undefined) state.salvage.set(name, salvage);
    }
    if (blamed.size === 0) state.batchLimit = Math.max(1, Math.floor(before.size / 2));
  }

  #subscribe(state: KindState, kind: ResourceKind, name: string): void {
    if (name === "*") {
      state.wildcard = true;
      return;
    }
    state.names.add(name);
    state.dropped.delete(name);
    // A repeated subscription asks for the resource again, even if Envoy has it.
    if (!state.wildcard && state.inFlight?.before.has(name) !== true) state.has.delete(name);
    // An Envoy that asks again has lost the resource, and may receive the version that it rejected again.
    if (state.asked) state.rejected.delete(name);
    if (this.#target?.[kind].has(name) !== true) state.missing.add(name);
  }

  /**
   * Envoy goes on with older filters, which do not know who guards what is new. An Envoy that comes back asks for endpoints before
   * it says which filters it has.
   */
  #filtersBehind(target: PackedSnapshot): boolean {
    const { asked, rejected } = this.#state("extensions");
    return (
      !asked || [...rejected.values()].some(({ name, version }) => target.extensions.get(name)?.version === version)
    );
  }

  /**
   * The filters of the target guard the endpoints of the target. Other endpoints that Envoy has, and that rely on filters, must
   * pass their own filters first: until it has the new ones, or gives up the cluster.
   */
  *#unguardedSoon(state: KindState, target: PackedSnapshot): Generator<PackedResource> {
    const { names, has } = this.#state("extensions");
    const changes = [...names].some((name) => {
      const filter = target.extensions.get(name);
      return filter?.guardsEndpoints === true && filter.version !== has.get(name);
    });
    if (!changes) return;
    for (const [name, version] of state.has) {
      const accepted = this.#accepted.endpoints.get(name);
      const known = accepted?.version === version ? accepted : undefined;
      const wanted = target.endpoints.get(name);
      if (known?.reliesOnFilters === false || wanted?.version === version) continue;
      if (wanted?.reliesOnFilters === false) continue;
      // Of what an earlier agent gave, only the version is known.
      const endpoints = known ?? wanted;
      const safe = endpoints === undefined ? withoutEndpoints(name) : throughOwnFilters(endpoints);
      if (safe.version !== version) yield safe;
    }
  }

  /** Envoy requests by itself what its resources need. The step is over when it has received that. */
  #arrived(from: ResourceKind, to: ResourceKind, target: PackedSnapshot): boolean {
    const source = this.#state(from);
    const goal = this.#state(to);
    const unguarded = to === "endpoints" && this.#filtersBehind(target);
    for (const [name, version] of source.has) {
      const resource = target[from].get(name);
      if (resource === undefined || resource.version !== version) continue;
      for (const need of resource.needs) {
        if (need.kind !== to) continue;
        const needed = target[to].get(need.name);
        if (needed === undefined || goal.rejected.has(need.name)) continue;
        if (unguarded && needed.reliesOnFilters && goal.has.has(need.name)) continue;
        if (goal.has.get(need.name) !== needed.version) return false;
      }
    }
    return true;
  }

  #state(kind: ResourceKind): KindState {
    const state = this.#kinds.get(kind);
    if (state === undefined) throw new TypeError(`no state for ${kind}`);
    return state;
  }
}

/**
 * The resources that a refusal is about; none if the message does not tell. Envoy's CDS and LDS judge each resource by itself
 * and list those that failed: `Error adding/updating listener(s) a: reason\nb: reason`. A name that merely occurs in a reason
 * is not to blame.
 */
function blamedIn(message: string, sent: readonly string[]): readonly string[] {
  if (sent.length === 1) return sent;
  const list = /^Error adding\/updating (?:cluster|listener)\(s\) (.*)$/su.exec(message)?.[1];
  if (list === undefined) return [];
  return sent.filter(
    (name) => list.startsWith(`${name}: `) || list.includes(`\n${name}: `) || list.includes(`, ${name}: `),
  );
}
