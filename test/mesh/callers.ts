import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { APPS, type MeshLab } from "./mesh-lab.ts";

export interface OneCall {
  readonly address: string;
  readonly port: number;
  /** Of a request; without a path it is a TCP connection. */
  readonly path?: string;
  readonly method?: string;
  /** Names and values in turn, as they stand on the wire. */
  readonly headers?: readonly string[];
  /** The request is begun, and never ends. */
  readonly hold?: boolean;
  /** The outcome has the body. */
  readonly tell?: boolean;
}

/** What became of a call; status 0: no answer came. */
export interface Outcome {
  readonly status: number;
  readonly code?: string;
  /** Where the call asks for it. */
  readonly body?: string;
}

/** A process in a pod that makes calls as it is told, for as many as that starting a process for each would take long. */
export class Caller {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, (outcome: Outcome) => void>();
  #next = 0;

  constructor(lab: MeshLab, pod: string) {
    this.#process = lab.start(pod, process.execPath, join(APPS, "caller.mjs"));
    if (this.#process.stdout === null) throw new Error("the caller has no output");
    createInterface({ input: this.#process.stdout }).on("line", (line) => {
      const { id, ...outcome } = JSON.parse(line) as Outcome & { readonly id: number };
      this.#waiting.get(id)?.(outcome);
      this.#waiting.delete(id);
    });
  }

  call(call: OneCall): Promise<Outcome> {
    const id = this.#next++;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#process.stdin?.write(`${JSON.stringify({ id, ...call })}\n`);
    });
  }

  end(): void {
    this.#process.stdin?.end();
  }
}
