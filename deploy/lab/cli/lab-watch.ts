import { setTimeout as sleep } from "node:timers/promises";
import { describe } from "../../../agent/lib/errors.ts";
import { printable } from "../../../agent/lib/terminal/output.ts";
import type { PrintedProblem } from "../../../agent/model/problem.ts";
import { labStatus } from "../control/client.ts";
import type { LabStatus } from "../control/status-protocol.ts";

const INTERVAL_MS = 100;

/** Follows a lab and reports its progress on standard error. */
export class LabWatch {
  readonly #lab: string;
  readonly #started = Date.now();
  readonly #told = new Set<string>();

  constructor(lab: string) {
    this.#lab = lab;
  }

  /**
   * Waits until everything is ready, and resolves to undefined. Resolves to the reason if the lab cannot become ready, is not
   * ready after `timeoutSeconds`, or `stop` aborts first.
   */
  async untilReady(timeoutSeconds: number, stop: AbortSignal): Promise<string | undefined> {
    for (;;) {
      const status = await this.#look();
      if (typeof status === "string") return status;
      if (status.ready) {
        const { nodes, pods, services } = status;
        this.#tell(`ready: ${nodes.length} nodes, ${pods.length} pods, ${services.length} services`);
        return undefined;
      }
      const waiting = status.waitingFor.map((line) => `\n  ${printable(line)}`).join("");
      if (status.failed) return `the lab cannot become ready:${waiting}`;
      if (Date.now() - this.#started >= timeoutSeconds * 1000) {
        return `the lab is not ready after ${timeoutSeconds} s:${waiting}`;
      }
      if (stop.aborted) return "interrupted before the lab was ready";
      await sleep(INTERVAL_MS);
    }
  }

  /** Reports changes until `stop` aborts or the lab goes down. */
  async untilStopped(stop: AbortSignal): Promise<void> {
    process.stderr.write(`lab ${this.#lab}: Ctrl-C takes it down\n`);
    while (!stop.aborted) {
      if (typeof (await this.#look()) === "string") return;
      await sleep(INTERVAL_MS * 5, undefined, { signal: stop }).catch(() => undefined);
    }
  }

  /** Reads the lab's status and reports what is new. A text instead of the status says why there is none. */
  async #look(): Promise<LabStatus | string> {
    try {
      const status = await labStatus(this.#lab);
      for (const warning of status.warnings) this.#once(warningText(warning));
      for (const pod of status.pods) {
        const name = `pod ${pod.namespace}/${pod.name}`;
        if (pod.ready) this.#once(`${name} is ready on ${pod.node} (${pod.ip})`);
        if (pod.enrolled) this.#once(`${name} is enrolled`);
      }
      for (const node of status.nodes) if (node.ready) this.#once(`node ${node.name} is ready`);
      return status;
    } catch (error) {
      return describe(error);
    }
  }

  #once(text: string): void {
    if (this.#told.has(text)) return;
    this.#told.add(text);
    this.#tell(text);
  }

  #tell(text: string): void {
    const elapsed = ((Date.now() - this.#started) / 1000).toFixed(1);
    process.stderr.write(`lab ${this.#lab} ${elapsed.padStart(5)} s  ${printable(text)}\n`);
  }
}

export function warningText({ severity, origin, object, field, reason, remedy }: PrintedProblem): string {
  const what = [object, field].filter(Boolean).join(": ");
  return `${severity}: ${[origin, what, reason].filter(Boolean).join(": ")}. ${remedy}`;
}
