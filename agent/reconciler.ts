import type { CaptureState, CapturedPod } from "./compile/bpf/capture-state.ts";
import type { NodeConfig } from "./compile/compile.ts";
import type { EnrolmentResult } from "./enroll/enrolments.ts";
import { describe } from "./lib/errors.ts";
import type { Logger } from "./lib/log.ts";
import type { XdsSnapshot } from "./xds/types.ts";

/** The node's proxy, as far as putting a configuration into effect goes. */
export interface ProxyConfig {
  /** Resolves when Envoy has answered for everything in it; what it rejected counts as answered. */
  publish(snapshot: XdsSnapshot): { readonly converged: Promise<void> };
}

/** The kernel, as far as putting a configuration into effect goes. */
export interface KernelConfig {
  setPods(pods: readonly CapturedPod[]): EnrolmentResult;
  setDestinations(destinations: CaptureState["destinations"]): void;
  hasInboundListener(netns: string): boolean;
}

export interface PodState {
  readonly enrolled: boolean;
  /** Why it is not captured, where it should be. */
  readonly reason: string | undefined;
}

const LISTENER_POLL_MS = 10;
const LISTENER_TIMEOUT_MS = 10_000;

/**
 * Puts configurations into effect, one after the other, the latest always last. Who leaves is let go by the kernel before
 * its listeners go; who joins is captured only when its listeners stand. So no connection is ever sent to nobody.
 */
export class Reconciler {
  readonly #proxy: ProxyConfig;
  readonly #kernel: KernelConfig;
  readonly #log: Logger;
  #wanted: NodeConfig | undefined;
  #running: Promise<void> | undefined;
  #captured: ReadonlySet<string>;
  #states: ReadonlyMap<string, PodState> = new Map();
  /** The pods in JSON that are all captured; undefined where one is missing. */
  #complete: string | undefined;
  #settled = false;

  /** `captured`: UIDs of the pods that an earlier agent has left captured. */
  constructor(proxy: ProxyConfig, kernel: KernelConfig, log: Logger, captured: readonly string[] = []) {
    this.#proxy = proxy;
    this.#kernel = kernel;
    this.#log = log;
    this.#captured = new Set(captured);
  }

  /** True once the first configuration has been put into effect. */
  get settled(): boolean {
    return this.#settled;
  }

  /** What became of each pod that should be captured, by uid. */
  get states(): ReadonlyMap<string, PodState> {
    return this.#states;
  }

  /** Puts `config` into effect as soon as what is under way is done; a newer one replaces one that still waits. */
  apply(config: NodeConfig): Promise<void> {
    this.#wanted = config;
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #run(): Promise<void> {
    for (let config = this.#wanted; config !== undefined; config = this.#wanted) {
      this.#wanted = undefined;
      try {
        await this.#putIntoEffect(config);
        this.#settled = true;
      } catch (error) {
        // The next change, or the agent's timer, tries again; what was in effect stays.
        this.#log.error({ error: describe(error) }, "configuration not put into effect");
      }
    }
  }

  async #putIntoEffect({ xds, capture }: NodeConfig): Promise<void> {
    const pods = JSON.stringify(capture.pods);
    if (pods === this.#complete) {
      // Mostly it is endpoints that change. The kernel's part of a pod means entering its netns: not for nothing.
      await this.#proxy.publish(xds).converged;
      this.#kernel.setDestinations(capture.destinations);
      return;
    }
    this.#complete = undefined;
    const staying = capture.pods.filter(({ uid }) => this.#captured.has(uid));
    if (staying.length < this.#captured.size) {
      this.#kernel.setPods(staying);
      this.#captured = new Set(staying.map(({ uid }) => uid));
    }
    await this.#proxy.publish(xds).converged;
    const ready = await this.#withListeners(capture.pods);
    this.#kernel.setDestinations(capture.destinations);
    const { enrolled, failed } = this.#kernel.setPods(ready);
    const reasons = new Map(failed.map(({ uid, error }) => [uid, describe(error)]));
    const done = new Set(enrolled);
    this.#captured = done;
    this.#states = new Map(
      capture.pods.map(({ uid }) => {
        const reason = reasons.get(uid) ?? "the proxy has no listener in its network namespace yet";
        return [uid, done.has(uid) ? { enrolled: true, reason: undefined } : { enrolled: false, reason }];
      }),
    );
    for (const [uid, { reason }] of this.#states)
      if (reason !== undefined) this.#log.warn({ uid, reason }, "pod not captured");
    if (done.size === capture.pods.length) this.#complete = pods;
  }

  /** Those of the pods in which the proxy listens; waits for the others for a while. */
  async #withListeners(pods: readonly CapturedPod[]): Promise<readonly CapturedPod[]> {
    const deadline = Date.now() + LISTENER_TIMEOUT_MS;
    for (;;) {
      const ready = pods.filter((pod) => this.#listens(pod));
      if (ready.length === pods.length || Date.now() > deadline) return ready;
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
