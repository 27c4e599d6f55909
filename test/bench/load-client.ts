import { spawn, type ChildProcessByStdio } from "node:child_process";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { createInterface, type Interface } from "node:readline";

export type LoadKind = "http1" | "http2" | "grpc" | "bulk" | "connections";

export interface LoadJob {
  readonly kind: LoadKind;
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  /** HTTP/1.1: bearer tokens, which the requests carry in turns. */
  readonly tokens?: readonly string[];
}

/** What `apps/load.mjs` prints of a job. */
export interface LoadResult {
  readonly answers: number;
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
  readonly bytes: number;
  readonly clientCpu: number;
  readonly wrong: number;
  readonly reason?: string;
}

/** A load generator that stands ready in a pod. */
export class LoadClient {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;

  /** `command`: what runs a command in the pod. */
  constructor(command: readonly string[], bench: string) {
    // In a session of its own: Ctrl-C is for the benchmark, which then ends everything in order.
    const args = [...command, process.execPath, join(bench, "apps/load.mjs")];
    this.#child = spawn("setsid", args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#reader = createInterface({ input: this.#child.stdout });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** `onStart` is called when answers begin to count. Throws if an answer was not the application's 200. */
  async run(job: LoadJob, onStart: () => void): Promise<LoadResult> {
    this.#child.stdin.write(`${JSON.stringify(job)}\n`);
    await this.#next();
    onStart();
    const result = (await this.#next()) as LoadResult;
    if (result.wrong > 0)
      throw new Error(`${job.kind} to ${job.host}: ${result.wrong} wrong answers: ${result.reason}`);
    return result;
  }

  close(): void {
    this.#reader.close();
    this.#child.stdin.end();
    this.#child.kill();
  }

  async #next(): Promise<unknown> {
    const line = await this.#lines.next();
    if (line.done === true) throw new Error("the load generator has ended");
    return JSON.parse(line.value);
  }
}
