import type { CaptureState, CapturedPod } from "../model/capture-state.ts";
import type { EnrolmentResult } from "../kernel/capture.ts";
import { describe } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";
import { WORKER_LAG_MS } from "../lib/worker-lag.ts";
import type { XdsSnapshot } from "../xds/snapshot.ts";
import type { ReconciledConfig } from "./states-adapter.ts";

/** The node's proxy, as far as putting a configuration into effect goes. */
export interface ProxyConfig {
  /** Resolves when Envoy has answered for everything in it; what it rejected counts as answered. */
  publish(snapshot: XdsSnapshot): { readonly converged: Promise<void> };
  /** Serves newer secrets beside what has been published. */
  publishSecrets(secrets: XdsSnapshot["secrets"]): void;
}

/** The kernel, as far as putting a configuration into effect goes. */
export interface KernelConfig {
  preparePods(pods: readonly CapturedPod[]): void;
  setPods(pods: readonly CapturedPod[]): EnrolmentResult;
  setDestinations(destinations: CaptureState["destinations"]): void;
  setMtlsCallers(addresses: CaptureState["mtlsCallers"]): void;
  setBriefPorts(ports: CaptureState["briefPorts"]): void;
  narrowBriefPorts(ports: CaptureState["briefPorts"]): void;
  hasInboundListener(netns: string): boolean;
}

/** What other nodes are told, and have followed: see `handshake/capture-handshake.ts`. */
export interface Handshake {
  announce(captured: readonly string[]): void;
  hasLeft(uid: string): boolean;
}

export interface PodState {
  /** In the mesh, in either direction. Who waits for its certificate is not, though what comes to it is captured. */
  readonly enrolled: boolean;
  /** Why it is not captured, where it should be. */
  readonly reason: string | undefined;
}

/** Said of a pod that has left the mesh and is still captured. */
const LEAVING = "it leaves the mesh once no other node speaks mTLS to it";

interface Wanted {
  readonly config: ReconciledConfig;
  readonly onServed: () => void;
}

const LISTENER_POLL_MS = 10;
const LISTENER_TIMEOUT_MS = 10_000;

/**
 * Puts configurations into effect, one after the other, the latest always last. Who ends is let go by the kernel before
 * its listeners go; who joins is captured only when its listeners stand, and announced only when it is captured; who leaves
 * stays captured until no other node speaks mTLS to it. Who waits for its certificate is captured inbound and not announced.
 * So no connection is ever sent to nobody, or in a form that is not understood.
 */
export class Reconciler {
  readonly #proxy: ProxyConfig;
  readonly #kernel: KernelConfig;
  readonly #handshake: Handshake;
  readonly #log: Logger;
  #wanted: Wanted | undefined;
  #running: Promise<void> | undefined;
  #captured: ReadonlySet<string>;
  /** Those among them that wait for a certificate: what they call is not captured. */
  #waiting: ReadonlySet<string>;
  /** Such that have left, and are captured until all nodes have followed. */
  #held: ReadonlySet<string> = new Set();
  /** What the proxy goes by. */
  #published: XdsSnapshot | undefined;
  #states: ReadonlyMap<string, PodState> = new Map();
  /** The pods in JSON that are all captured; undefined where one is missing. */
  #complete: string | undefined;
  #settled = false;

  /** `known`: UIDs of the pods that an earlier agent has left captured. */
  constructor(
    proxy: ProxyConfig,
    kernel: KernelConfig,
    handshake: Handshake,
    log: Logger,
    known: { readonly captured: readonly string[]; readonly waiting: readonly string[] },
  ) {
    this.#proxy = proxy;
    this.#kernel = kernel;
    this.#handshake = handshake;
    this.#log = log;
    this.#captured = new Set(known.captured);
    this.#waiting = new Set(known.waiting.filter((uid) => this.#captured.has(uid)));
  }

  /** True once the first configuration has been put into effect. */
  get settled(): boolean {
    return this.#settled;
  }

  /** What became of each pod that should be captured, by uid. */
  get states(): ReadonlyMap<string, PodState> {
    return this.#states;
  }

  /**
   * Puts `config` into effect as soon as what is under way is done; a newer one replaces one that still waits. `onServed`:
   * the proxy goes by it.
   */
  apply(config: ReconciledConfig, onServed: () => void = () => undefined): Promise<void> {
    this.#wanted = { config, onServed };
    // They wait for nobody: what is under way may be waiting for them.
    this.#proxy.publishSecrets(config.xds.secrets);
    this.#tellCallers(config.capture.mtlsCallers);
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #run(): Promise<void> {
    for (let wanted = this.#wanted; wanted !== undefined; wanted = this.#wanted) {
      this.#wanted = undefined;
      try {
        await this.#putIntoEffect(wanted);
        this.#settled = true;
      } catch (error) {
        // The next change, or the agent's timer, tries again; what was in effect stays.
        this.#log.error({ error: describe(error) }, "configuration not put into effect");
      }
    }
  }

  async #putIntoEffect({ config: { xds, capture }, onServed }: Wanted): Promise<void> {
    const pods = JSON.stringify(capture.pods);
    this.#kernel.narrowBriefPorts(capture.briefPorts);
    if (pods === this.#complete) {
      // Mostly it is endpoints that change. The kernel's part of a pod means entering its netns: not for nothing.
      await this.#publish(xds);
      onServed();
      this.#kernel.setDestinations(capture.destinations);
      this.#kernel.setBriefPorts(capture.briefPorts);
      return;
    }
    this.#complete = undefined;
    const leaving = capture.leaving.filter(({ uid }) => this.#captured.has(uid));
    const staying = [...capture.pods.filter(({ uid }) => this.#captured.has(uid)), ...leaving].map(
      (pod): CapturedPod => ({ ...pod, waits: pod.waits || this.#waiting.has(pod.uid) }),
    );
    // A proxy that has started anew, while this agent has no key for a pod, has no listeners for what that calls.
    const losesCalls = staying.some(({ uid, waits }) => waits && !this.#waiting.has(uid));
    if (staying.length < this.#captured.size || losesCalls) {
      this.#kernel.setPods(staying);
      this.#captured = new Set(staying.map(({ uid }) => uid));
      this.#waiting = uidsOfWaiting(staying);
    }
    if (leaving.some(({ uid }) => !this.#held.has(uid))) {
      // Callers of this node send plaintext to who leaves: not before the listeners of a pod that was STRICT take it.
      await this.#publish({ ...xds, endpoints: this.#published?.endpoints ?? xds.endpoints });
      await new Promise((resolve) => setTimeout(resolve, WORKER_LAG_MS));
    }
    // Callers of this node are told to deliver to who joins before it is captured.
    this.#kernel.preparePods(capture.pods.filter(({ uid }) => !this.#captured.has(uid)));
    await this.#publish(xds);
    onServed();
    // Those that can be spoken to by mTLS.
    const whole = new Set(capture.pods.filter(({ waits }) => !waits).map(({ uid }) => uid));
    this.#handshake.announce([...this.#captured].filter((uid) => whole.has(uid) && !this.#waiting.has(uid)));
    const held = leaving.filter(({ uid }) => !this.#handshake.hasLeft(uid));
    this.#held = new Set(held.map(({ uid }) => uid));
    const ready = await this.#withListeners(capture.pods);
    if (ready === undefined) return;
    if (ready.some(({ uid, waits }) => !waits && this.#waiting.has(uid))) {
      // Its inbound listener has stood before, and does not show when the rest is there.
      await new Promise((resolve) => setTimeout(resolve, WORKER_LAG_MS));
    }
    this.#kernel.setDestinations(capture.destinations);
    this.#kernel.setBriefPorts(capture.briefPorts);
    const { enrolled, failed } = this.#kernel.setPods([...ready, ...held]);
    const reasons = new Map(failed.map(({ uid, error }) => [uid, describe(error)]));
    const done = new Set(enrolled);
    this.#captured = done;
    this.#waiting = new Set([...uidsOfWaiting([...ready, ...held])].filter((uid) => done.has(uid)));
    this.#handshake.announce(enrolled.filter((uid) => whole.has(uid)));
    const missing = (uid: string): string =>
      reasons.get(uid) ?? "the proxy has no listener in its network namespace yet";
    this.#states = new Map<string, PodState>([
      ...capture.pods.map(({ uid, waits }) => {
        const reason = done.has(uid) ? undefined : missing(uid);
        return [uid, { enrolled: reason === undefined && !waits, reason }] as const;
      }),
      ...held.map(({ uid }) => [uid, { enrolled: true, reason: LEAVING }] as const),
    ]);
    for (const [uid, { reason }] of this.#states)
      if (reason !== undefined && reason !== LEAVING) this.#log.warn({ uid, reason }, "pod not captured");
    if (held.length === 0 && capture.pods.every(({ uid }) => done.has(uid))) this.#complete = pods;
  }

  /** Before anything else, and whatever is under way: they may speak mTLS from when their own node knows of them. */
  #tellCallers(addresses: CaptureState["mtlsCallers"]): void {
    try {
      this.#kernel.setMtlsCallers(addresses);
    } catch (error) {
      this.#log.error(
        { error: describe(error) },
        "the kernel does not know all who may speak mTLS: everybody will wait for servers that speak first",
      );
    }
  }

  async #publish(xds: XdsSnapshot): Promise<void> {
    await this.#proxy.publish(xds).converged;
    this.#published = xds;
  }

  /**
   * Those of the pods in which the proxy listens; waits for the others for a while. undefined: what it waits for does not
   * come, and a newer configuration does without.
   */
  async #withListeners(pods: readonly CapturedPod[]): Promise<readonly CapturedPod[] | undefined> {
    const deadline = Date.now() + LISTENER_TIMEOUT_MS;
    for (;;) {
      const ready = pods.filter((pod) => this.#listens(pod));
      if (ready.length === pods.length || Date.now() > deadline) return ready;
      const waitingNow = uidsOfWaiting(this.#wanted?.config.capture.pods ?? []);
      if (pods.some((pod) => !pod.waits && waitingNow.has(pod.uid))) return undefined;
      await new Promise((resolve) => setTimeout(resolve, LISTENER_POLL_MS));
    }
  }

  #listens({ netns }: CapturedPod): boolean {
    try {
      return this.#kernel.hasInboundListener(netns);
    } catch {
      // The pod has just ended: its netns is gone, and the next configuration will not have it.
      return false;
    }
  }
}

function uidsOfWaiting(pods: readonly CapturedPod[]): ReadonlySet<string> {
  return new Set(pods.filter(({ waits }) => waits).map(({ uid }) => uid));
}
