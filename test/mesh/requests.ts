import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { APPS, type MeshLab } from "./mesh-lab.ts";

/** What `apps/requests.mjs` prints. */
interface Outcome {
  readonly sent: number;
  readonly failed: number;
}

/** Requests out of one pod, as fast as eight at a time get through, until they are ended. */
export class Requests {
  readonly #child: ChildProcess;
  readonly #output: Promise<string>;

  constructor(lab: MeshLab, pod: string, ...urls: readonly string[]) {
    this.#child = lab.start(pod, process.execPath, join(APPS, "requests.mjs"), "-", ...urls);
    if (this.#child.stdout === null) throw new Error("the requests have no output");
    this.#output = text(this.#child.stdout);
  }

  /** Ends them. When it resolves none is under way any more. */
  async finish(): Promise<Outcome> {
    const closed = once(this.#child, "close");
    this.#child.stdin?.end();
    const output = await this.#output;
    await closed;
    return JSON.parse(output) as Outcome;
  }
}
