import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { APPS, type MeshLab } from "./mesh-lab.ts";

/** What `apps/requests.mjs` prints. */
interface Outcome {
  readonly sent: number;
  readonly failed: number;
}

/** Requests out of one pod, as fast as eight at a time get through, until they are ended. */
export class Requests {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout === null) throw new Error("the requests have no output");
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** Resolves once the first of them is answered: what follows happens under load. */
  static async start(lab: MeshLab, pod: string, ...urls: readonly string[]): Promise<Requests> {
    const requests = new Requests(lab.start(pod, process.execPath, join(APPS, "requests.mjs"), "-", ...urls));
    await requests.#line();
    return requests;
  }

  /** Ends them. When it resolves none is under way any more. */
  async finish(): Promise<Outcome> {
    const closed = once(this.#child, "close");
    this.#child.stdin?.end();
    const outcome = JSON.parse(await this.#line()) as Outcome;
    await closed;
    return outcome;
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error("the requests ended early");
    return value;
  }
}
