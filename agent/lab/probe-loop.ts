import type { ProbedContainer } from "./kubelet-protocol.ts";
import { tryProbe } from "./probe-actions.ts";

export type ProbeReport = (ready: boolean, message: string) => void;

/** Probes one container for as long as it runs, and reports each change of its readiness or of the reason. */
export class ProbeLoop {
  readonly #container: ProbedContainer;
  readonly #report: ProbeReport;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #ready = false;
  /** How often in a row it has succeeded (positive) or failed (negative). */
  #streak = 0;
  #message = "";

  constructor(container: ProbedContainer, report: ProbeReport) {
    this.#container = container;
    this.#report = report;
    this.#schedule(container.probe.initialDelaySeconds * 1000);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(delayMs: number): void {
    if (!this.#stopped) this.#timer = setTimeout(() => void this.#run(), delayMs);
  }

  async #run(): Promise<void> {
    const started = Date.now();
    const failure = await tryProbe(this.#container);
    if (this.#stopped) return;
    const { successThreshold, failureThreshold, periodSeconds } = this.#container.probe;
    this.#streak = failure === undefined ? Math.max(0, this.#streak) + 1 : Math.min(0, this.#streak) - 1;
    const ready = this.#ready ? this.#streak > -failureThreshold : this.#streak >= successThreshold;
    const message = failure ?? "";
    if (ready !== this.#ready || (!ready && message !== this.#message)) this.#report(ready, message);
    const warmingUp = !ready && !this.#ready;
    this.#ready = ready;
    this.#message = message;
    // Kubernetes waits a whole period even for the first success; here people wait for it.
    const periodMs = periodSeconds * 1000;
    this.#schedule(warmingUp ? Math.min(periodMs, WARM_UP_MS) : Math.max(0, periodMs - (Date.now() - started)));
  }
}

/** A container that has not been ready yet is asked this often, if its period is longer. */
const WARM_UP_MS = 250;
