import { describe } from "../lib/errors.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/log.ts";
import type { KernelPod } from "../model/kernel-pod.ts";
import { effectsOf, type PodEffects, type PodState } from "../model/pod-state.ts";
import type { Sandbox } from "../model/sandbox.ts";
import type { Workload } from "../model/workload.ts";
import type { LifecycleSettings, PodRecord } from "./pod-lifecycle.ts";

export interface PodInKernelOptions {
  readonly kernel: {
    /** Throws AmbitError `pod-not-captured`: then neither direction is captured, and `otherwise` holds. */
    setPod(pod: KernelPod): void;
    /** Connections to the sandbox are captured, or refused. */
    captures(sandbox: Sandbox): boolean;
  };
  readonly settings: LifecycleSettings;
  readonly clock: Clock;
  readonly log: Logger;
}

/** `drop`: clients send again; `refuse`: they fail at once. */
export type Refusing = "drop" | "refuse";

/** A pod as its node's kernel has to treat it. */
export interface PodToTreat {
  readonly workload: Workload;
  readonly addresses: readonly string[];
  readonly record: PodRecord;
}

interface Asked {
  readonly state: PodState;
  readonly workload: Workload;
  readonly addresses: readonly string[];
  readonly isProtected: boolean;
  /** Equal keys ask the kernel for the same. */
  readonly key: string;
  readonly at: number;
}

/** When the kernel has failed, it is asked again after this time. */
const RETRY_MS = 1_000;

/** What the kernel is asked for one sandbox, whether it did that, and what follows for new connections to the pod. */
export class PodInKernel {
  readonly #sandbox: Sandbox;
  readonly #options: PodInKernelOptions;
  /** What the kernel was asked for last. */
  #asked: Asked | undefined;
  #failure: string | undefined;
  /** It did not do what it was asked for last. */
  #hasFailed = false;
  /** What the log said last. */
  #logged: Refusing | undefined;

  constructor(sandbox: Sandbox, options: PodInKernelOptions) {
    this.#sandbox = sandbox;
    this.#options = options;
  }

  get isAsked(): boolean {
    return this.#asked !== undefined;
  }

  /** Why it did not do what it was asked for, or something before that the pod still waits for; undefined: it did. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Asks for what the pod's state asks for, if that is new. "refused": connections to the pod are not captured as it asks. */
  ask({ workload, addresses, record }: PodToTreat): "done" | "refused" {
    const { kernel, clock, log } = this.#options;
    const sandbox = this.#sandbox;
    const asked = this.#asked;
    const { state, isProtected } = record;
    const effects = this.#effectsOf(state);
    if (asked === undefined && !effects.delivery && effects.inbound === "open" && state.phase !== "left") return "done";
    // Each event asks for every pod, and most change nothing: that has to be cheap.
    const isKnown =
      asked?.state === state &&
      asked.workload === workload &&
      asked.addresses === addresses &&
      asked.isProtected === isProtected;
    if (this.#failure === undefined && isKnown) return "done";
    const now = clock.now();
    const { probePorts } = workload;
    const otherwise = isProtected ? "refuse" : "open";
    const key = JSON.stringify([state.phase, effects, addresses, otherwise]);
    const isAsked = asked?.key === key && asked.workload === workload;
    const isDue = this.#failure !== undefined && asked !== undefined && now >= asked.at + RETRY_MS;
    this.#asked = { state, workload, addresses, isProtected, key, at: isAsked && !isDue ? asked.at : now };
    if (isAsked && !isDue) return "done";
    try {
      kernel.setPod({ sandbox, addresses, probePorts, phase: state.phase, effects, otherwise });
      this.#hasFailed = false;
      // What was refused is still wanted while the pod joins: status says why until it is captured, or leaves.
      if (state.phase !== "joining" && (effects.inbound === "captured" || !effects.delivery)) this.#failure = undefined;
    } catch (error) {
      this.#hasFailed = true;
      this.#failure = describe(error);
      log.warn(
        { uid: sandbox.uid, phase: state.phase, error: this.#failure },
        "the kernel did not do what the pod's state asks for",
      );
      // Connections from it are open now, and those to it as well, unless the pod is protected.
      if (effects.inbound === "captured") return "refused";
    }
    return "done";
  }

  /** What becomes of new connections to the pod: undefined where they reach the proxy, or pass. */
  refusing(record: PodRecord): Refusing | undefined {
    const { inbound, missing } = this.#effectsOf(record.state);
    if (inbound === "open") return undefined;
    if (this.#hasFailed)
      return record.isProtected && this.#options.kernel.captures(this.#sandbox) ? "refuse" : undefined;
    return record.listener || missing === "open" ? undefined : missing;
  }

  /** Once for each change, so that a pod that refuses for long says so once. */
  logRefusing({ workload: { meta }, record }: Pick<PodToTreat, "workload" | "record">): void {
    const refusing = this.refusing(record);
    if (refusing === this.#logged) return;
    this.#logged = refusing;
    const about = { uid: this.#sandbox.uid, namespace: meta.namespace, pod: meta.name };
    const { phase } = record.state;
    if (refusing === "refuse") {
      const why = this.#failure ?? "the proxy has no listener in its network namespace";
      this.#options.log.warn({ ...about, phase, why }, "connections to a pod are refused: see 'ambit status'");
    } else this.#options.log.debug({ ...about, phase, refusing: refusing ?? "no" }, "connections to a pod");
  }

  #effectsOf(state: PodState): PodEffects {
    const effects = effectsOf(state);
    if (effects.missing !== "refuse" || this.#options.settings.whenCaptureIsLost === "refuse") return effects;
    return { ...effects, missing: "open" };
  }
}
