import type { CaptureState } from "../model/capture-state.ts";
import type { NodeConfig } from "../compile/compile.ts";
import { describe } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";
import type { XdsSnapshot } from "../xds/snapshot.ts";

/** The node's proxy, as far as configurations go: `AdsServer`. */
export interface ProxyConfig {
  /** Resolves when Envoy has answered for everything in it; a resource that Envoy rejected counts as answered. */
  publish(snapshot: XdsSnapshot): { readonly converged: Promise<void> };
  /** Serves newer secrets beside what has been published. */
  publishSecrets(secrets: XdsSnapshot["secrets"]): void;
}

/** The kernel, as far as configurations go: `Capture`. What it does for single pods is asked for by `Pods`. */
export interface KernelConfig {
  setDestinations(destinations: CaptureState["destinations"]): void;
  setMtlsCallers(addresses: CaptureState["mtlsCallers"]): void;
  setBriefPorts(ports: CaptureState["briefPorts"]): void;
  narrowBriefPorts(ports: CaptureState["briefPorts"]): void;
}

interface Wanted {
  readonly config: Pick<NodeConfig, "xds" | "capture">;
  readonly onServed: () => void;
}

/**
 * Publishes configurations to the proxy and the kernel, one after the other, the latest always last. It waits for the
 * proxy's acknowledgement and for nothing else: a pod that joins never holds back another pod, or an endpoint.
 */
export class Publisher {
  readonly #proxy: ProxyConfig;
  readonly #kernel: KernelConfig;
  readonly #log: Logger;
  #wanted: Wanted | undefined;
  #running: Promise<void> | undefined;
  #settled = false;

  constructor(proxy: ProxyConfig, kernel: KernelConfig, log: Logger) {
    this.#proxy = proxy;
    this.#kernel = kernel;
    this.#log = log;
  }

  /** True once the proxy has acknowledged a configuration. */
  get settled(): boolean {
    return this.#settled;
  }

  /**
   * Publishes `config` as soon as the one before it is acknowledged; a newer one replaces one that still waits. `onServed`:
   * the proxy has acknowledged this very configuration.
   */
  apply(config: Wanted["config"], onServed: () => void): Promise<void> {
    this.#wanted = { config, onServed };
    // Certificates and callers wait for nothing: the acknowledgement that is waited for may depend on them.
    this.#proxy.publishSecrets(config.xds.secrets);
    this.#tell("who may speak mTLS", () => this.#kernel.setMtlsCallers(config.capture.mtlsCallers));
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #run(): Promise<void> {
    for (let wanted = this.#wanted; wanted !== undefined; wanted = this.#wanted) {
      this.#wanted = undefined;
      const { config, onServed } = wanted;
      const { briefPorts, destinations } = config.capture;
      // A port leaves the kernel's list before the proxy gives up its listener, and enters it afterwards.
      this.#tell("ports of servers that speak first", () => this.#kernel.narrowBriefPorts(briefPorts));
      await this.#proxy.publish(config.xds).converged;
      this.#tell("destinations", () => this.#kernel.setDestinations(destinations));
      this.#tell("ports of servers that speak first", () => this.#kernel.setBriefPorts(briefPorts));
      this.#settled = true;
      onServed();
    }
  }

  /** What the kernel does not take stays as it was; everything else goes on, and the next configuration tries again. */
  #tell(what: string, tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.#log.error({ what, error: describe(error) }, "the kernel did not take a change");
    }
  }
}
