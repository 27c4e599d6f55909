import { AmbitError, describe, errnoOf } from "../lib/errors.ts";
import type { Clock } from "../lib/clock.ts";
import { familyOf } from "../lib/ip-address.ts";
import type { Logger } from "../lib/log.ts";
import type { Exchange } from "../model/exchange.ts";
import type { KnownSandbox } from "../model/kernel-pod.ts";
import type { Mesh } from "../model/mesh.ts";
import { effectsOf, type LocalPodState, type PodState } from "../model/pod-state.ts";
import { sandboxKey, type Sandbox, type SandboxKey, type SandboxLookup } from "../model/sandbox.ts";
import type { Workload } from "../model/workload.ts";
import { PodInKernel, type PodInKernelOptions, type Refusing } from "./pod-in-kernel.ts";
import {
  NEW_POD,
  nextWake,
  reduce,
  restoredPod,
  RUNNING_POD,
  type LifecycleSettings,
  type PodEvent,
  type PodRecord,
} from "./pod-lifecycle.ts";

/** The kernel, as far as pods go: `Capture`. */
export type PodKernel = PodInKernelOptions["kernel"] & {
  /** Throws AmbitError `netns-unavailable`. */
  sandboxOf(uid: string, netns: string): Sandbox;
  /** Throws AmbitError `netns-unavailable`. */
  addressesIn(netns: string): ReadonlySet<string>;
  forget(sandbox: Sandbox): void;
  known(): readonly KnownSandbox[];
  hasInboundListener(sandbox: Sandbox, family: 4 | 6): boolean;
};

export interface PodsOptions {
  /** Name of this node. */
  readonly node: string;
  readonly kernel: PodKernel;
  readonly exchange: Exchange;
  readonly sandboxes: SandboxLookup;
  /** Has this agent a certificate for the workload? Always true without an authority. */
  readonly hasCertificate: (workload: Workload) => boolean;
  /** Tells which pods of a mesh may not answer past the proxy. */
  readonly protectedPods: (mesh: Mesh) => (workload: Workload) => boolean;
  /** No agent has run on this node before: pods that it finds may be older than their label. */
  readonly isFirst: boolean;
  readonly settings: LifecycleSettings;
  readonly clock: Clock;
  readonly log: Logger;
  /** A state has changed: the node's configuration has to be compiled and published again. */
  readonly onChange: () => void;
}

/** The facts for `ambit status` about one pod of this node that has a sandbox. */
export interface PodView {
  readonly state: PodState;
  /** The proxy's inbound listeners stand in its network namespace. */
  readonly listening: boolean;
  /** Why the kernel could not do what the state asks for; undefined: it did. */
  readonly failure: string | undefined;
  /** What becomes of new connections to it, while it is not in the mesh as it should be. */
  readonly refusing: Refusing | undefined;
}

/** Names the states that a configuration was compiled from, for `served`. */
export type Epochs = ReadonlyMap<SandboxKey, number>;

interface Entry {
  readonly sandbox: Sandbox;
  /** undefined until the mesh has been read: an earlier agent knew the sandbox. */
  workload: Workload | undefined;
  /** Those addresses of the workload that the network namespace has. */
  addresses: readonly string[];
  record: PodRecord;
  readonly inKernel: PodInKernel;
  /** Since when its listener is looked for; undefined: it is not. */
  lookingSince: number | undefined;
}

/** A listener that the proxy is about to make is looked for this often; one that does not come, less often. */
const LOOK_MS = 10;
const LOOK_LATER_MS = 500;
const PATIENCE_MS = 10_000;

/** The agent's own timer is limited to some weeks, and a grace is not. */
const LONGEST_WAIT_MS = 3_600_000;

/**
 * The state manager of this node's pods: one record for each sandbox. Events come in, `reduce` gives the next state, and its
 * effects go to the kernel at once, to the other nodes by the exchange, and to the proxy by the next configuration. Each pod
 * goes its own way: none waits for another.
 */
export class Pods {
  readonly #options: PodsOptions;
  readonly #entries = new Map<SandboxKey, Entry>();
  readonly #entriesByWorkload = new WeakMap<Workload, Entry>();
  /** Pods with a network namespace that could not be entered, by UID, and why. */
  #unreachable: ReadonlyMap<string, string> = new Map();
  #states: ReadonlyMap<string, LocalPodState> | undefined;
  /** One timer for all pods: it looks at them when the next one changes by time alone, or at their listeners. */
  #callOff = (): void => undefined;
  #closed = false;
  #mesh: Mesh | undefined;
  /** A sandbox without a record of the kernel begins so. */
  #beginning: PodRecord;

  constructor(options: PodsOptions) {
    this.#options = options;
    this.#beginning = options.isFirst ? RUNNING_POD : NEW_POD;
    for (const { sandbox, phase, inbound } of options.kernel.known()) {
      this.#entries.set(sandboxKey(sandbox), this.#newEntry(sandbox, restoredPod(phase, inbound)));
    }
  }

  /** By UID: the pods of this node that are on their way into the mesh, in it, or were. The same map until one changes. */
  states(): ReadonlyMap<string, LocalPodState> {
    this.#states ??= new Map(
      [...this.#entries.values()]
        .filter(({ workload, record }) => workload !== undefined && record.state.phase !== "outside")
        .map(({ sandbox: { uid, netns }, addresses, record: { state } }) => [uid, { netns, addresses, state }]),
    );
    return this.#states;
  }

  epochs(): Epochs {
    return new Map([...this.#entries].map(([key, { record }]) => [key, record.epoch]));
  }

  /** By UID, for status. */
  views(): ReadonlyMap<string, PodView> {
    return new Map(
      [...this.#entries.values()].map((entry) => [
        entry.sandbox.uid,
        {
          state: entry.record.state,
          listening: entry.record.listener,
          failure: entry.inKernel.failure,
          refusing: entry.inKernel.refusing(entry.record),
        },
      ]),
    );
  }

  /** Why a pod's network namespace could not be entered, by UID. */
  unreachable(): ReadonlyMap<string, string> {
    return this.#unreachable;
  }

  /**
   * Takes over the new mesh: which pods of this node have the label, and which sandboxes are new or gone. The
   * caller compiles the mesh next, with `states()`: `onChange` is not called for what changes here.
   */
  follow(mesh: Mesh): void {
    this.#mesh = mesh;
    const unreachable = new Map<string, string>();
    const seen = new Set<SandboxKey>();
    for (const workload of mesh.workloads) {
      if (!this.#isHere(workload)) continue;
      const entry = this.#entryOf(workload, unreachable);
      if (entry === undefined) continue;
      seen.add(sandboxKey(entry.sandbox));
      if (entry.workload !== workload) {
        entry.workload = workload;
        this.#entriesByWorkload.set(workload, entry);
        this.#states = undefined;
      }
    }
    this.#unreachable = unreachable;
    for (const [key, entry] of this.#entries) if (!seen.has(key)) this.#end(key, entry);
    this.#beginning = NEW_POD;
    const isProtected = this.#options.protectedPods(mesh);
    this.#handle(({ workload }) =>
      workload === undefined
        ? []
        : [
            { type: "protected", isProtected: isProtected(workload) },
            { type: "label", labelled: workload.enrolled },
          ],
    );
  }

  /** A new proxy process is about to start. */
  proxyStarts(): void {
    this.#each(() => [{ type: "proxy-started" }]);
  }

  /** The proxy acknowledged a configuration that was compiled from the states of these epochs. */
  served(epochs: Epochs): void {
    this.#each((_, key) => {
      const epoch = epochs.get(key);
      return epoch === undefined ? [] : [{ type: "served", epoch }];
    });
  }

  /** The exchange has changed: other nodes may follow now. */
  exchangeChanged(): void {
    this.#each(() => []);
  }

  /**
   * To be called from time to time. Looks at the listeners of all pods, for status. Where a network namespace could not be
   * entered, the mesh is read again, as it may be there by now.
   */
  lookAgain(): void {
    this.#each((entry) => (hasListeners(entry.record) ? [this.#listenerOf(entry)] : []));
    if (this.#unreachable.size > 0 && !this.#closed) this.#options.onChange();
  }

  /**
   * UIDs of the pods whose sandboxes are known, and so in the state that they have to be in. Looks again for those that were not
   * there, without a new mesh: whoever makes them asks before it starts their processes.
   */
  seen(): readonly string[] {
    if (this.#unreachable.size > 0 && this.#mesh !== undefined && !this.#closed) {
      const before = this.#unreachable.size;
      this.follow(this.#mesh);
      if (this.#unreachable.size !== before) this.#options.onChange();
    }
    return [...this.#entries.values()].map(({ sandbox }) => sandbox.uid);
  }

  close(): void {
    this.#closed = true;
    this.#callOff();
  }

  #isHere({ node, terminated, hostNetwork, addresses }: Workload): boolean {
    return node === this.#options.node && !terminated && !hostNetwork && addresses.length > 0;
  }

  /** The entry of the workload's sandbox, a new one where the sandbox is new. */
  #entryOf(workload: Workload, unreachable: Map<string, string>): Entry | undefined {
    const { kernel, sandboxes } = this.#options;
    const { uid } = workload;
    const netns = sandboxes.netnsOf(uid);
    if (netns === undefined) return undefined;
    try {
      // A sandbox that is made anew changes the pod's status, so an unchanged workload still has the one that is known.
      const known = this.#entriesByWorkload.get(workload);
      if (known?.workload === workload && known.sandbox.netns === netns && hasAll(known)) return known;
      const sandbox = kernel.sandboxOf(uid, netns);
      const key = sandboxKey(sandbox);
      const entry = this.#entries.get(key);
      const present = kernel.addressesIn(netns);
      const addresses = workload.addresses.filter((address) => present.has(address));
      // A pod has the addresses that are in its network namespace, whatever its object says.
      if (addresses.length === 0) {
        unreachable.set(
          uid,
          `its network namespace has none of the Pod's addresses (${workload.addresses.join(", ")})`,
        );
        return entry;
      }
      // An earlier agent may have closed the pod without being able to make a record of it.
      const beginning = (): PodRecord =>
        kernel.captures(sandbox) ? restoredPod("guarded", "captured") : this.#beginning;
      const found = entry ?? this.#newEntry(sandbox, beginning());
      if (found.addresses.join() !== addresses.join()) {
        found.addresses = addresses;
        this.#states = undefined;
      }
      this.#entries.set(key, found);
      return found;
    } catch (error) {
      unreachable.set(uid, describe(error));
      // An agent short of a resource says nothing of the sandbox: to forget it would open a pod that is captured.
      if (!isShortage(error)) return undefined;
      return [...this.#entries.values()].find(({ sandbox }) => sandbox.uid === uid && sandbox.netns === netns);
    }
  }

  /** The pod or its sandbox is gone, and nothing of it stays: no record, no timer, no entry in the kernel. */
  #end(key: SandboxKey, { sandbox }: Entry): void {
    this.#entries.delete(key);
    this.#states = undefined;
    try {
      this.#options.kernel.forget(sandbox);
    } catch (error) {
      this.#options.log.error({ uid: sandbox.uid, error: describe(error) }, "a pod that ended is not forgotten");
    }
  }

  #newEntry(sandbox: Sandbox, record: PodRecord): Entry {
    const inKernel = new PodInKernel(sandbox, this.#options);
    return { sandbox, record, inKernel, addresses: [], workload: undefined, lookingSince: undefined };
  }

  #each(events: (entry: Entry, key: SandboxKey) => readonly PodEvent[]): void {
    if (this.#handle(events) && !this.#closed) this.#options.onChange();
  }

  /** Gives each pod its events, then announces and sets the timer. True if a state changed. */
  #handle(events: (entry: Entry, key: SandboxKey) => readonly PodEvent[]): boolean {
    let changed = false;
    for (const [key, entry] of this.#entries) {
      if (entry.workload === undefined) continue;
      const certificate: PodEvent = { type: "certificate", has: this.#options.hasCertificate(entry.workload) };
      changed = this.#dispatch(entry, [certificate, ...events(entry, key), { type: "time" }]) || changed;
    }
    changed = this.#announce() || changed;
    this.#setTimer();
    return changed;
  }

  /** True if the state changed. */
  #dispatch(entry: Entry, events: readonly PodEvent[]): boolean {
    const { clock, settings, log } = this.#options;
    const before = entry.record;
    const hadListeners = hasListeners(before) && entry.inKernel.isAsked;
    for (const event of events) entry.record = reduce(entry.record, event, clock.now(), settings);
    // A listener that stands from an earlier stay in the mesh counts at once.
    if (!hadListeners && hasListeners(entry.record)) {
      entry.record = reduce(entry.record, this.#listenerOf(entry), clock.now(), settings);
    }
    const { inKernel, workload, addresses } = entry;
    if (workload !== undefined) {
      if (inKernel.ask({ workload, addresses, record: entry.record }) === "refused") {
        entry.record = reduce(entry.record, { type: "refused" }, clock.now(), settings);
      }
      inKernel.logRefusing({ workload, record: entry.record });
    }
    if (entry.record.epoch === before.epoch) return false;
    this.#states = undefined;
    const { uid } = entry.sandbox;
    log.debug({ uid, from: before.state.phase, to: entry.record.state.phase }, "pod changed its state");
    return true;
  }

  /** Announces the sandboxes that take mTLS, and gives each pod the answer of the exchange. True if a state changed. */
  #announce(): boolean {
    const { exchange } = this.#options;
    const entries = [...this.#entries.values()];
    const announced = entries.filter(({ record }) => effectsOf(record.state).announced);
    const version = exchange.announce(
      announced.map(({ sandbox: { uid, cookie }, addresses }) => ({ uid, cookie, addresses })),
    );
    const followed = exchange.followed();
    let changed = false;
    for (const entry of entries) {
      const events: readonly PodEvent[] = [
        { type: "told", version },
        { type: "followed", version: followed },
      ];
      changed = this.#dispatch(entry, events) || changed;
    }
    // A state that changed by this may ask for another announcement, and for nothing else: this ends.
    if (changed) this.#announce();
    return changed;
  }

  #listenerOf({ sandbox, addresses }: Entry): PodEvent {
    const families = new Set(addresses.map(familyOf));
    try {
      const stands = [...families].every((family) => this.#options.kernel.hasInboundListener(sandbox, family));
      return { type: "listener", stands };
    } catch {
      // Its network namespace has just gone; the next mesh does not have the pod.
      return { type: "listener", stands: false };
    }
  }

  /** One timer, for the next pod that changes by time alone. A pod that ended has no entry, and so no timer. */
  #setTimer(): void {
    this.#callOff();
    if (this.#closed) return;
    const { clock, settings } = this.#options;
    const now = clock.now();
    let next = Infinity;
    for (const entry of this.#entries.values()) {
      const { record } = entry;
      entry.lookingSince = waitsForListener(record) ? (entry.lookingSince ?? now) : undefined;
      if (entry.lookingSince !== undefined) {
        next = Math.min(next, now + (now - entry.lookingSince < PATIENCE_MS ? LOOK_MS : LOOK_LATER_MS));
      }
      next = Math.min(next, nextWake(record, now, settings) ?? Infinity);
    }
    if (!Number.isFinite(next)) return;
    this.#callOff = clock.after(Math.min(next - now, LONGEST_WAIT_MS), () =>
      this.#each((entry) => (waitsForListener(entry.record) ? [this.#listenerOf(entry)] : [])),
    );
  }
}

/** The agent or its machine has no more file descriptors, or no memory. */
function isShortage(error: unknown): boolean {
  const code = errnoOf(error) ?? "";
  return SHORTAGES.has(code) || (error instanceof AmbitError && error.cause !== undefined && isShortage(error.cause));
}

const SHORTAGES: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "ENOMEM", "ENOBUFS"]);

function hasAll({ workload, addresses }: Entry): boolean {
  return addresses.length === workload?.addresses.length;
}

function hasListeners({ state }: PodRecord): boolean {
  return effectsOf(state).listeners !== "none";
}

/** Does the state, or `ambit status`, wait for the pod's listener to stand (again)? */
function waitsForListener(record: PodRecord): boolean {
  const { phase } = record.state;
  return !record.listener && hasListeners(record) && phase !== "waiting" && phase !== "left";
}
