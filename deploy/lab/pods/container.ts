import { closeSync, mkdirSync, openSync } from "node:fs";
import { messageOf } from "../../../agent/lib/errors.ts";
import { start, type Child } from "../../../agent/lib/exec.ts";
import type { WaitingReason } from "../control/status-protocol.ts";
import { killCgroup } from "../machine/cgroup.ts";
import { RestartDelay } from "../machine/restart-delay.ts";
import type { ConfigLookup } from "../pod-spec/config-data.ts";
import type { ContainerSpec } from "../pod-spec/container-spec.ts";
import type { RestartPolicy } from "../pod-spec/pod-spec.ts";
import { joinCommand, startCommand, type ContainerPlace, type Mounts } from "./container-command.ts";
import { containerCommand, containerEnv, type DownwardFields } from "./container-env.ts";

/** `message`: details for people; "" where there are none. */
export type ContainerState =
  | { readonly kind: "waiting"; readonly reason: WaitingReason; readonly message: string }
  | { readonly kind: "running"; readonly pid: number; readonly startedAt: Date }
  | { readonly kind: "exited"; readonly code: number; readonly message: string };

/** Why a container waits, or how it ended, in words; "" while it runs. */
export function describeState(state: ContainerState): string {
  if (state.kind === "running") return "";
  if (state.kind === "exited") return `ended with ${state.message}`;
  return state.message === "" ? state.reason : `${state.reason}: ${state.message}`;
}

export interface ContainerOptions {
  readonly spec: ContainerSpec;
  readonly place: ContainerPlace;
  readonly facts: DownwardFields;
  readonly lookup: ConfigLookup;
  /** Called at each start. Returns the mounts, or a text that names what is missing. */
  readonly mounts: () => Mounts | string;
  readonly restartPolicy: RestartPolicy;
  readonly logFile: string;
  /** Called after each change of `state`. */
  readonly onChange: () => void;
}

const CONFIG_RETRY_MS = 500;
const RESTART_GRACE_MS = 5_000;

/** One container: runs its process, and restarts it as the pod's restartPolicy says. */
export class Container {
  readonly spec: ContainerSpec;
  readonly logFile: string;
  readonly #options: ContainerOptions;
  /** As of the last start. */
  #env: ReadonlyMap<string, string> = new Map();
  readonly #delay = new RestartDelay();
  #state: ContainerState = { kind: "waiting", reason: "ContainerCreating", message: "" };
  #starts = 0;
  #child: Child | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopping = false;
  #restarting = false;
  /** Why it is restarting; "" otherwise. */
  #reason = "";
  /** How it last ended, in words; "" before its first end. */
  #lastEnd = "";

  constructor(options: ContainerOptions) {
    this.#options = options;
    this.spec = options.spec;
    this.logFile = options.logFile;
  }

  get state(): ContainerState {
    return this.#state;
  }

  get restarts(): number {
    return Math.max(0, this.#starts - 1);
  }

  get lastEnd(): string {
    return this.#lastEnd;
  }

  start(): void {
    if (this.#stopping) return;
    try {
      const missing = this.#launch();
      if (missing !== "") this.#waitFor("CreateContainerConfigError", missing);
    } catch (error) {
      // For example a file in the place of a folder. It concerns this container alone, and somebody can repair it.
      this.#waitFor("CreateContainerError", messageOf(error));
    }
  }

  /** Starts the process. Returns what is missing; "" if it has started. */
  #launch(): string {
    const { place, spec, facts, lookup, logFile } = this.#options;
    const env = containerEnv(spec, facts, lookup);
    if (typeof env === "string") return env;
    const mounts = this.#options.mounts();
    if (typeof mounts === "string") return mounts;
    mkdirSync(place.cgroup, { recursive: true });
    const log = openSync(logFile, "a");
    try {
      const args = startCommand(place, spec, env, containerCommand(spec, env), mounts);
      // In a session of its own, so that Ctrl-C at the terminal reaches the lab and not the container.
      const child = start("/bin/sh", args, { cwd: "/", detached: true, stdio: ["ignore", log, log] });
      this.#env = env;
      this.#starts++;
      this.#child = child;
      child.once("error", (error) => this.#ended(child, 128, messageOf(error)));
      child.once("exit", (code, signal) =>
        this.#ended(child, code ?? 128, signal === null ? `exit code ${code}` : `signal ${signal}`),
      );
      if (child.pid === undefined) return "";
      this.#delay.started();
      this.#set({ kind: "running", pid: child.pid, startedAt: new Date() });
      return "";
    } finally {
      closeSync(log);
    }
  }

  /** Ends the process, so that the restartPolicy decides about a new start. `why`: in words. */
  restart(why: string): void {
    const child = this.#child;
    if (this.#state.kind !== "running" || this.#restarting || child === undefined) return;
    this.#restarting = true;
    this.#reason = why;
    child.kill("SIGTERM");
    const force = setTimeout(() => child.kill("SIGKILL"), RESTART_GRACE_MS);
    child.once("exit", () => clearTimeout(force));
  }

  /** Waits, and then tries again. */
  #waitFor(reason: WaitingReason, message: string): void {
    const state = this.#state;
    const isKnown = state.kind === "waiting" && state.reason === reason && state.message === message;
    if (!isKnown) this.#set({ kind: "waiting", reason, message });
    this.#timer = setTimeout(() => this.start(), CONFIG_RETRY_MS);
  }

  /** Asks the process to end, and kills it after `graceMs`. When this resolves, no process of the container runs. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      let force: NodeJS.Timeout | undefined;
      const patience = new Promise((resolve) => (force = setTimeout(resolve, graceMs)));
      await Promise.race([ended, patience]);
      clearTimeout(force);
    }
    await killCgroup(this.#options.place.cgroup);
  }

  /** Arguments of /bin/sh that run a command inside the container: append the command. undefined while it does not run. */
  joinCommand(): readonly string[] | undefined {
    if (this.#state.kind !== "running") return undefined;
    return joinCommand(this.#options.place.cgroup, this.#state.pid, this.spec, this.#env);
  }

  #ended(child: Child, code: number, how: string): void {
    if (child !== this.#child || this.#state.kind === "exited") return;
    this.#lastEnd = this.#reason === "" ? how : `${this.#reason} (${how})`;
    this.#reason = "";
    this.#restarting = false;
    this.#set({ kind: "exited", code, message: this.#lastEnd });
    // Children of the process end with it, as they would in a container's PID namespace.
    void killCgroup(this.#options.place.cgroup).then(() => this.#scheduleRestart(code));
  }

  #scheduleRestart(code: number): void {
    const { restartPolicy } = this.#options;
    if (this.#stopping || restartPolicy === "Never" || (restartPolicy === "OnFailure" && code === 0)) return;
    const delayMs = this.#delay.next();
    this.#set({ kind: "waiting", reason: "CrashLoopBackOff", message: `ended with ${this.#lastEnd}` });
    this.#timer = setTimeout(() => this.start(), delayMs);
  }

  #set(state: ContainerState): void {
    this.#state = state;
    this.#options.onChange();
  }
}
