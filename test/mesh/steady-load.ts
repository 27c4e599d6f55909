import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { APPS, type MeshLab } from "./mesh-lab.ts";

/** What `apps/steady.mjs` prints. */
interface Outcome {
  readonly seconds: number;
  readonly right: Readonly<Record<"http1" | "http2" | "short" | "bytes", number>>;
  readonly wrong: readonly unknown[];
}

interface LoadOptions {
  /** Requests a second. */
  readonly rate: number;
  readonly streams: number;
  /** Services, as the pod calls them. */
  readonly to: readonly string[];
}

/**
 * The part of the rates that callers ask for. A machine that runs all tests at once has no room for the whole;
 * AMBIT_LOAD=1 makes it whole.
 */
const PART = Number(process.env["AMBIT_LOAD"] ?? 1 / 3);

/** A machine that is busy with something else sends fewer; less than this part of them would prove nothing. */
const LEAST = 1 / 5;
/** What a stream sends in a second. */
const STREAM_BYTES = 20 * 256;

/** Steady load out of one pod: requests, short connections, and streams that stay open. */
export class SteadyLoad {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  readonly #options: LoadOptions;

  private constructor(child: ChildProcess, options: LoadOptions) {
    this.#child = child;
    this.#options = options;
    if (child.stdout === null) throw new Error("the load has no output");
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** Resolves when all streams stand. */
  static async start(lab: MeshLab, pod: string, whole: LoadOptions): Promise<SteadyLoad> {
    const { to } = whole;
    const [rate, streams] = [Math.round(whole.rate * PART), Math.ceil(whole.streams * PART)];
    const args = [join(APPS, "steady.mjs"), String(rate), String(streams), ...to];
    const load = new SteadyLoad(lab.start(pod, process.execPath, ...args), { rate, streams, to });
    const { value } = await load.#lines.next();
    if (value !== "open") throw new Error(`the load out of ${pod} did not begin: ${String(value)}`);
    return load;
  }

  /** Ends it. Gives everything that was wrong: calls that failed, streams that broke, or fewer of them than there should be. */
  async finish(): Promise<readonly unknown[]> {
    this.#child.stdin?.end();
    const { value } = await this.#lines.next();
    const { seconds, right, wrong } = JSON.parse(String(value)) as Outcome;
    const { rate, streams } = this.#options;
    const requests = right.http1 + right.http2;
    return [
      ...wrong,
      ...(requests < rate * (seconds - 1) * LEAST ? [`only ${requests} requests in ${seconds} s`] : []),
      ...(right.bytes < streams * (seconds - 1) * STREAM_BYTES * LEAST
        ? [`only ${right.bytes} bytes in ${seconds} s`]
        : []),
    ];
  }

  kill(): void {
    this.#child.kill();
  }
}
