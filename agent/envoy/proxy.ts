import type { Logger } from "../lib/log.ts";

export interface NodeProxyOptions {
  readonly node: string;
  /** Holds the sockets, the log, and what is needed to find a running Envoy again. */
  readonly stateDir: string;
  /** Unix socket of the agent's ADS. */
  readonly adsSocket: string;
  /** cgroup v2 directory that Envoy joins before it runs: the kernel's programs recognise Envoy by it. */
  readonly cgroup: string;
  /** Worker threads. */
  readonly concurrency: number;
  /** An Envoy that has not answered for this long is replaced. */
  readonly patienceMs: number;
  /** The heap that Envoy should stay below; undefined: no limit. */
  readonly maxHeapBytes?: number;
  readonly log: Logger;
}

/**
 * The node's proxy as the agent sees it. Today it is a process that the agent supervises (`supervisor.ts`); an Envoy in a
 * container of its own is another implementation.
 */
export interface NodeProxy {
  /** Unix socket of Envoy's admin interface. */
  readonly adminSocket: string;
  /** Calls `listener` whenever a new Envoy is about to start. A new Envoy has no configuration from the one before it. */
  onStart(listener: () => void): void;
  /** Adopts the Envoy that runs, or starts one, and watches it from then on. */
  start(): Promise<void>;
  status(): EnvoyStatus;
  /** Stops watching. Envoy keeps running, and so does traffic. */
  release(): void;
}

export interface EnvoyStatus {
  readonly pid: number | undefined;
  readonly version: string;
  readonly ready: boolean;
  readonly restarts: number;
  /** What is wrong with Envoy; undefined if nothing is known to be wrong. */
  readonly trouble: EnvoyTrouble | undefined;
}

/** What is wrong with Envoy at this moment. */
export interface EnvoyTrouble {
  /** RFC 3339. */
  readonly since: string;
  readonly what: string;
  /** The last complaints in Envoy's log; "" if there are none. */
  readonly said: string;
  readonly remedy: string;
}
