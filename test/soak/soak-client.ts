import { spawn, type ChildProcessByStdio } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { Failure } from "./judge.ts";

interface Report {
  readonly right: Readonly<Record<string, number>>;
  readonly failures: readonly Failure[];
}

/** Steady load out of one pod, and what became of it. */
export class SoakClient {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly right: Record<string, number> = {};
  readonly failures: Failure[] = [];
  #ended = false;

  constructor(command: readonly string[]) {
    this.#child = spawn("setsid", command, { stdio: ["pipe", "pipe", "inherit"] });
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      const { right, failures } = JSON.parse(line) as Report;
      for (const [kind, count] of Object.entries(right)) this.right[kind] = (this.right[kind] ?? 0) + count;
      this.failures.push(...failures);
    });
    this.#child.on("exit", () => (this.#ended = true));
  }

  /** It ended by itself: the soak is void. */
  get ended(): boolean {
    return this.#ended;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#ended) return resolve();
      this.#child.once("exit", () => resolve());
      this.#child.stdin.end();
    });
  }
}
