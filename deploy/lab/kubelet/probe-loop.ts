import type { ProbedContainer, ProbeResult } from "./kubelet-protocol.ts";
import { tryProbe } from "./probe-actions.ts";

export type ProbeReport = (result: ProbeResult) => void;

/** Probes one container for as long as it runs, and reports each change of the result or of the reason. */
export class ProbeLoop {
  readonly #container: ProbedContainer;
  readonly #report: ProbeReport;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  /** A container counts as alive until a probe fails, but not as started or ready until a probe succeeds. */
  #last: ProbeResult;
  /** Successes in a row (positive) or failures in a row (negative). */
  #streak = 0;

  constructor(container: ProbedContainer, report: ProbeReport) {
    this.#container = container;
    this.#report = report;
    this.#last = { ok: container.role === "liveness", exhausted: false, message: "" };
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
    const last = this.#last;
    const ok = last.ok ? this.#streak > -failureThreshold : this.#streak >= successThreshold;
    const result = { ok, exhausted: this.#streak <= -failureThreshold, message: failure ?? "" };
    const isNews = ok !== last.ok || result.exhausted !== last.exhausted || (!ok && result.message !== last.message);
    this.#last = result;
    if (isNews) this.#report(result);
    const warmingUp = this.#container.role === "readiness" && !ok && !last.ok;
    // Kubernetes waits a whole period even before the first success. In the lab people wait for it.
    const periodMs = periodSeconds * 1000;
    this.#schedule(warmingUp ? Math.min(periodMs, WARM_UP_MS) : Math.max(0, periodMs - (Date.now() - started)));
  }
}

/** Longest period for a container that has never been ready. */
const WARM_UP_MS = 250;
