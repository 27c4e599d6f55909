import { ALONE } from "../model/exchange.ts";
import {
  effectsOf,
  type Captured,
  type Entrance,
  type Guarded,
  type Joining,
  type Leaving,
  type Left,
  type MeshPhase,
  type PodEffects,
  type PodState,
  type Waiting,
} from "../model/pod-state.ts";

/** What happens to one sandbox. */
export type PodEvent =
  /** Its namespace or the pod itself has the label, or has it no longer. */
  | { readonly type: "label"; readonly labelled: boolean }
  /** A policy selects the pod or it is STRICT somewhere, so that it may not be open; or nothing of that is so. */
  | { readonly type: "protected"; readonly isProtected: boolean }
  /** This agent has a certificate for the pod's identity, or has none. */
  | { readonly type: "certificate"; readonly has: boolean }
  /** The proxy acknowledged a configuration that was compiled from the state of this epoch. */
  | { readonly type: "served"; readonly epoch: number }
  /** The proxy's inbound listeners stand in the pod's network namespace, or do not. */
  | { readonly type: "listener"; readonly stands: boolean }
  /** This node's report of this version names the pod, or no longer names it, as its effects ask. */
  | { readonly type: "told"; readonly version: number }
  /** All other nodes follow this node's report of this version; ALONE: there are none. */
  | { readonly type: "followed"; readonly version: number }
  /** A new proxy process runs; it has nothing of what the one before it had. */
  | { readonly type: "proxy-started" }
  /** The kernel did not do what the state asked for. */
  | { readonly type: "refused" }
  /** Time has passed. */
  | { readonly type: "time" };

/** Everything that is known of one sandbox. */
export interface PodRecord {
  readonly state: PodState;
  /** Grows with each new state, and names it in `served`. */
  readonly epoch: number;
  readonly labelled: boolean;
  /** A policy selects the pod, or it is STRICT somewhere. */
  readonly isProtected: boolean;
  /** The pod was created under its label, or captured since it got it. If it is protected as well, it is never open. */
  readonly entered: boolean;
  /**
   * Where the pod's certificate is. `here`: this agent. `proxy`: the proxy, which got it from an earlier agent. `none`.
   */
  readonly certificate: "none" | "here" | "proxy";
  /** The proxy's inbound listeners stand. */
  readonly listener: boolean;
  /** The proxy that held the earlier agent's certificate was replaced then; undefined: it still runs. */
  readonly proxyLostAt: number | undefined;
  /** The kernel refused the pod; the next attempt is made then. */
  readonly retryAt: number;
  /**
   * Other nodes may speak mTLS to the pod: Infinity while this node's report names it, then the version of the report that
   * no longer does, until all nodes follow that; undefined: none does.
   */
  readonly spokenTo: number | undefined;
}

/** What becomes of a protected pod that is not captured. */
export type WhenCaptureIsLost = "refuse" | "open";

export interface LifecycleSettings {
  /**
   * A STRICT pod takes plaintext for no longer than this: from when it got the label until its certificate is there, and
   * from when it is captured until all other nodes follow. In milliseconds.
   */
  readonly strictGraceMs: number;
  /** `open` prefers availability: then no pod counts as protected. */
  readonly whenCaptureIsLost: WhenCaptureIsLost;
}

export const DEFAULT_STRICT_GRACE_MS = 5_000;

/**
 * A certificate arrives within some milliseconds, as a rule, and a pod that gets it joins in one step. A pod without a
 * certificate can hardly be captured sooner: its listener takes about as long to stand.
 */
const CERTIFICATE_MOMENT_MS = 200;

/**
 * The same for a pod whose certificate the proxy had from an earlier agent, after that proxy was replaced. Until then no
 * listener stands for the pod and nothing reaches it. To treat it at once as a pod without a certificate would withdraw it
 * everywhere.
 */
const PROXY_MOMENT_MS = 2_000;

/** Envoy's workers go by a new configuration some time after its main thread has acknowledged it. */
export const WORKER_LAG_MS = 250;

const RETRY_MS = 1_000;

/**
 * The time for a protected pod to join. A running pod that gets the label is open for no longer. A pod that was created under
 * the label drops connections for so long, and refuses them from then on.
 */
export const JOIN_MS = 5_000;

/** A sandbox that was made while this agent or an earlier one ran, and that no agent has captured. */
export const NEW_POD: PodRecord = {
  state: { phase: "outside" },
  epoch: 0,
  labelled: false,
  isProtected: false,
  // What its label says first decides.
  entered: true,
  certificate: "none",
  listener: false,
  proxyLostAt: undefined,
  retryAt: -Infinity,
  spokenTo: undefined,
};

/** A sandbox that may have run before this node had an agent: if it has the label, it counts as just labelled. */
export const RUNNING_POD: PodRecord = { ...NEW_POD, entered: false };

/**
 * A sandbox that an earlier agent has left in this phase: the kernel's programs and the proxy have gone on without it.
 * `inbound`: what the kernel does with connections to it.
 */
export function restoredPod(phase: MeshPhase, inbound: PodEffects["inbound"]): PodRecord {
  const guarded: Guarded = { phase: "guarded", since: -Infinity, strict: true, inbound: "captured" };
  // It may have been in the mesh before that: other nodes may speak mTLS to it until they follow what this agent tells them.
  const guardedPod: PodRecord = { ...NEW_POD, labelled: true, spokenTo: Infinity, state: guarded };
  switch (phase) {
    case "guarded":
      return guardedPod;
    case "captured":
    case "leaving": {
      // The label, which is read next, decides whether it goes on leaving.
      const state: Captured = {
        phase: "captured",
        since: -Infinity,
        strict: true,
        announced: undefined,
        followedAt: undefined,
      };
      return { ...NEW_POD, labelled: true, certificate: "proxy", spokenTo: Infinity, state };
    }
    case "outside":
    case "waiting":
    case "joining":
    case "left":
      // To begin anew would open a pod that is closed, and may have been STRICT.
      if (inbound === "captured") return guardedPod;
      return phase === "joining" || phase === "left" ? { ...RUNNING_POD, state: LEFT } : RUNNING_POD;
  }
}

const LEFT: Left = { phase: "left", listeners: "all" };

/**
 * The next record of a sandbox after an event. Pure: time comes in as `now`, in milliseconds since 1970.
 * `effectsOf(record.state)` gives the effects of the new state; `nextWake(record)` gives the time at which it changes
 * without any event.
 */
export function reduce(record: PodRecord, event: PodEvent, now: number, settings: LifecycleSettings): PodRecord {
  let next = note(record, event, now, settings);
  // Steps that wait for nothing follow at once: a pod that has its certificate never shows as waiting.
  for (;;) {
    const state = advance(next, now, settings);
    if (state === next.state) return next;
    const entered = next.entered || effectsOf(state).announced;
    next = { ...next, state, entered, epoch: next.epoch + 1 };
  }
}

/** Notes the event itself; `advance` finds the state that follows. */
function note(record: PodRecord, event: PodEvent, now: number, { whenCaptureIsLost }: LifecycleSettings): PodRecord {
  const { state } = record;
  switch (event.type) {
    case "label":
      return changed(record, { labelled: event.labelled, entered: record.entered && event.labelled });
    case "protected":
      return changed(record, { isProtected: event.isProtected && whenCaptureIsLost === "refuse" });
    case "certificate":
      if (event.has) return changed(record, { certificate: "here", proxyLostAt: undefined });
      return record.certificate === "here" ? { ...record, certificate: "none" } : record;
    case "served":
      return event.epoch === record.epoch ? changed(record, { state: served(state, now) }) : record;
    case "listener":
      return changed(record, { listener: event.stands });
    case "told": {
      const spokenTo = effectsOf(state).announced
        ? Infinity
        : record.spokenTo === Infinity
          ? event.version
          : record.spokenTo;
      return changed(record, { spokenTo, state: told(state, event.version) });
    }
    case "followed": {
      const { spokenTo } = record;
      const isSilent = spokenTo === undefined || (spokenTo !== Infinity && event.version >= spokenTo);
      return changed(record, {
        spokenTo: isSilent ? undefined : spokenTo,
        state: followed(state, event.version, now),
      });
    }
    case "proxy-started": {
      const proxyLostAt = record.certificate === "proxy" ? now : undefined;
      const after = served(state, undefined);
      // The new proxy is given what has been published already. A new epoch makes the agent publish again, and hear of it.
      const epoch = record.epoch + (after === state ? 0 : 1);
      return { ...record, listener: false, proxyLostAt, state: after, epoch };
    }
    case "refused": {
      const after = refused(record);
      return { ...record, state: after, epoch: record.epoch + (after === state ? 0 : 1), retryAt: now + RETRY_MS };
    }
    case "time":
      if (record.proxyLostAt === undefined || now < record.proxyLostAt + PROXY_MOMENT_MS) return record;
      return { ...record, certificate: "none", proxyLostAt: undefined };
  }
}

/** The same record where nothing changes: most events say of most pods what is known, and a node has hundreds. */
function changed(record: PodRecord, change: Partial<PodRecord>): PodRecord {
  // Object.keys forgets the keys' type.
  const keys = Object.keys(change) as (keyof PodRecord)[];
  return keys.every((key) => record[key] === change[key]) ? record : { ...record, ...change };
}

/** Only states that wait for the proxy's acknowledgement note when it came. */
function served(state: PodState, at: number | undefined): PodState {
  return (state.phase === "joining" || state.phase === "leaving") && (at === undefined || state.servedAt === undefined)
    ? { ...state, servedAt: at }
    : state;
}

function told(state: PodState, version: number): PodState {
  if (state.phase === "captured" && state.announced === undefined) return { ...state, announced: version };
  if (state.phase === "leaving" && state.step === "withdrawn" && state.withdrawn === undefined) {
    return { ...state, withdrawn: version };
  }
  return state;
}

function followed(state: PodState, version: number, now: number): PodState {
  if (state.phase !== "captured" && state.phase !== "leaving") return state;
  const asked = state.phase === "captured" ? state.announced : state.withdrawn;
  if (asked === undefined || state.followedAt !== undefined || version < asked) return state;
  // Where there is no other node, there is no worker of another proxy to wait for.
  return { ...state, followedAt: version === ALONE ? -Infinity : now };
}

/** A protected pod stays closed, as far as the kernel can do it. */
function refused({ state, isProtected }: PodRecord): PodState {
  const inbound = isProtected ? "captured" : "open";
  if (state.phase === "guarded") return state.inbound === inbound ? state : { ...state, inbound };
  if (state.phase !== "captured") return state;
  const { since, strict } = state;
  return { phase: "joining", since, strict, inbound, stood: true, servedAt: undefined };
}

/** The state that follows without any further event; the same object where there is none. */
function advance(record: PodRecord, now: number, settings: LifecycleSettings): PodState {
  const { state, labelled } = record;
  switch (state.phase) {
    case "outside":
    case "left":
      return labelled
        ? { phase: "waiting", since: now, strict: false, inbound: "open", listeners: effectsOf(state).listeners }
        : state;
    case "waiting":
      return labelled ? (closed(state, record, now) ?? fromWaiting(state, record, now)) : left(state);
    case "guarded":
      return labelled
        ? (closed(state, record, now) ?? fromGuarded(state, record, now, settings))
        : withoutLabel(record, now);
    case "joining":
      return labelled
        ? (closed(state, record, now) ?? fromJoining(state, record, now, settings))
        : withoutLabel(record, now);
    case "captured":
      return fromCaptured(state, record, now, settings);
    case "leaving":
      return fromLeaving(state, record, now);
  }
}

/** Its listeners stay as they are, for the connections that are open. */
function left(from: PodState): PodState {
  const { listeners } = effectsOf(from);
  return listeners === "none" ? { phase: "outside" } : { phase: "left", listeners };
}

/** Of a pod that is not captured in both directions: other nodes may speak mTLS to it all the same, from before. */
function withoutLabel({ state, certificate, spokenTo }: PodRecord, now: number): PodState {
  if (spokenTo === undefined || certificate === "none" || effectsOf(state).inbound === "open") return left(state);
  return { phase: "leaving", since: now, step: "withdrawn", outbound: "open", ...NO_ANSWERS };
}

const NO_ANSWERS = { servedAt: undefined, withdrawn: undefined, followedAt: undefined } as const;

/**
 * The state of a pod that may be open no longer, or that has dropped connections for long enough; undefined: it stays as it
 * is. STRICT applies from the start to a pod that is closed from the start: no node has spoken plaintext to it.
 */
function closed<S extends Waiting | Guarded | Joining>(state: S, record: PodRecord, now: number): S | undefined {
  const isLate = now >= state.since + JOIN_MS;
  if (state.inbound === "held") {
    const stands = state.phase !== "waiting" && record.listener;
    return isLate || stands ? { ...state, inbound: "captured" } : undefined;
  }
  if (state.inbound === "captured" || !record.isProtected || (!record.entered && !isLate)) return undefined;
  const inbound: Entrance = isLate ? "captured" : "held";
  return { ...state, inbound, strict: state.strict || record.entered };
}

function fromWaiting(state: Waiting, { certificate, listener }: PodRecord, now: number): PodState {
  const { since, strict, inbound, listeners } = state;
  if (certificate !== "none") {
    const stood = listeners !== "none" && listener;
    return { phase: "joining", since, strict, inbound, stood, servedAt: undefined };
  }
  if (now < since + CERTIFICATE_MOMENT_MS) return state;
  return { phase: "guarded", since, strict, inbound };
}

function fromGuarded(state: Guarded, record: PodRecord, now: number, settings: LifecycleSettings): PodState {
  const { since, strict, inbound } = state;
  if (record.certificate !== "none") {
    const stood = inbound === "captured" || record.listener;
    return { phase: "joining", since, strict, inbound, stood, servedAt: undefined };
  }
  if (!strict && isPastGrace(state, now, settings)) return { ...state, strict: true };
  if (inbound === "open" && record.listener && now >= record.retryAt) return { ...state, inbound: "captured" };
  return state;
}

function fromJoining(state: Joining, record: PodRecord, now: number, settings: LifecycleSettings): PodState {
  const { since, strict, inbound, stood, servedAt } = state;
  const captured = inbound !== "open";
  if (record.certificate === "none") return { phase: "guarded", since, strict, inbound };
  if (captured && !strict && isPastGrace(state, now, settings)) return { ...state, strict: true };
  if (servedAt === undefined || !record.listener || now < record.retryAt) return state;
  if (stood && now < servedAt + WORKER_LAG_MS) return state;
  return {
    phase: "captured",
    since: captured ? since : now,
    strict: captured && strict,
    announced: undefined,
    followedAt: undefined,
  };
}

function fromCaptured(state: Captured, record: PodRecord, now: number, settings: LifecycleSettings): PodState {
  const { since, strict, followedAt } = state;
  if (!record.labelled) return { phase: "leaving", since: now, step: "softening", outbound: "captured", ...NO_ANSWERS };
  if (record.certificate === "none") return { phase: "guarded", since, strict: true, inbound: "captured" };
  const isFollowed = followedAt !== undefined && now >= followedAt + WORKER_LAG_MS;
  return !strict && (isFollowed || isPastGrace(state, now, settings)) ? { ...state, strict: true } : state;
}

function fromLeaving(state: Leaving, record: PodRecord, now: number): PodState {
  if (record.labelled && state.outbound === "open") {
    return { phase: "joining", since: now, strict: false, inbound: "captured", stood: true, servedAt: undefined };
  }
  if (record.labelled) {
    return { phase: "captured", since: now, strict: false, announced: undefined, followedAt: undefined };
  }
  // Its listeners cannot take mTLS any more: to keep it captured would only keep plaintext away, too.
  if (record.certificate === "none") return left(state);
  const isServed = state.servedAt !== undefined && now >= state.servedAt + WORKER_LAG_MS;
  if (!isServed) return state;
  if (state.step === "softening") return { ...state, step: "withdrawn", servedAt: undefined };
  return state.followedAt !== undefined && now >= state.followedAt + WORKER_LAG_MS ? left(state) : state;
}

function isPastGrace(
  { since }: { readonly since: number },
  now: number,
  { strictGraceMs }: LifecycleSettings,
): boolean {
  return now >= since + strictGraceMs;
}

/** When the record changes by time alone, in milliseconds since 1970 and after `now`; undefined: never. */
export function nextWake(record: PodRecord, now: number, settings: LifecycleSettings): number | undefined {
  const ahead = deadlines(record, settings).filter((at) => at > now && Number.isFinite(at));
  return ahead.length === 0 ? undefined : Math.min(...ahead);
}

function deadlines(
  { state, isProtected, retryAt, proxyLostAt }: PodRecord,
  settings: LifecycleSettings,
): readonly number[] {
  const proxy = proxyLostAt === undefined ? [] : [proxyLostAt + PROXY_MOMENT_MS];
  const grace = (since: number): number => since + settings.strictGraceMs;
  const lag = (at: number | undefined): number => (at ?? Infinity) + WORKER_LAG_MS;
  const close = ({ since, inbound }: Waiting | Guarded | Joining): readonly number[] =>
    inbound === "held" || (inbound === "open" && isProtected) ? [since + JOIN_MS] : [];
  switch (state.phase) {
    case "outside":
    case "left":
      return proxy;
    case "waiting":
      return [...proxy, ...close(state), state.since + CERTIFICATE_MOMENT_MS];
    case "guarded":
      return [...proxy, ...close(state), grace(state.since), retryAt];
    case "joining":
      return [...proxy, ...close(state), grace(state.since), retryAt, lag(state.servedAt)];
    case "captured":
      return state.strict ? proxy : [...proxy, grace(state.since), lag(state.followedAt)];
    case "leaving":
      return [...proxy, lag(state.servedAt), lag(state.followedAt)];
  }
}
