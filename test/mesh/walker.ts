import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { APPS } from "./mesh-lab.ts";

export interface Attempt {
  readonly to: readonly [string, number];
  readonly bind?: readonly [string, number];
  readonly mark?: number;
  readonly transparent?: boolean;
  readonly device?: string;
  readonly tls?: {
    readonly certificate?: string;
    readonly key?: string;
    readonly alpn?: readonly string[];
    readonly newest?: "1.2";
    readonly name?: string;
  };
  readonly send?: string;
  /** Seconds for the answer. */
  readonly wait?: number;
  /** The connection stays open until the walker ends. */
  readonly hold?: boolean;
}

export interface Outcome {
  readonly connected: boolean;
  readonly answer: string;
  readonly end: string;
}

export const WALKER: readonly string[] = ["python3", join(APPS, "walker.py")];

/** A process at some place, enrolled or not, that tries to reach what it should not: `apps/walker.py`. */
export class Walker {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, (outcome: Outcome) => void>();
  #last = 0;

  constructor(process: ChildProcess) {
    this.#process = process;
    if (process.stdout === null) throw new Error("a walker answers on its standard output");
    createInterface({ input: process.stdout }).on("line", (line) => {
      const { id, ...outcome } = JSON.parse(line) as Outcome & { readonly id: number };
      this.#waiting.get(id)?.(outcome);
      this.#waiting.delete(id);
    });
  }

  try(attempt: Attempt): Promise<Outcome> {
    const id = (this.#last += 1);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, resolve);
      this.#process.stdin?.write(`${JSON.stringify({ id, ...attempt })}\n`, (error) => {
        if (error) reject(error);
      });
    });
  }

  stop(): void {
    this.#process.stdin?.end();
  }
}

/** A whole HTTP/1.1 request that asks for the connection to be closed. */
export function httpGet(path: string, ...headers: readonly string[]): string {
  return [`GET ${path} HTTP/1.1`, "Host: guarded.shop", "Connection: close", ...headers, "", ""].join("\r\n");
}

export function statusOf({ answer }: Outcome): number {
  return Number(/^HTTP\/1\.1 (\d+)/u.exec(answer)?.[1] ?? 0);
}

/** What a server that expects TLS says to plaintext: a record of the type 21. */
export function isTlsAlert(answer: string): boolean {
  return answer.startsWith("\x15\x03");
}
