import { join } from "node:path";
import { AmbitError } from "../../../agent/lib/errors.ts";
import { askUnix } from "../../../agent/lib/unix-http.ts";

const TIMEOUT_MS = 60_000;

/** Results of one run of the load generator. */
export interface Outcome {
  /** Requests by HTTP status; "0" where no answer came. */
  readonly statuses: Readonly<Record<string, number>>;
  /** By the server's address: how many of its answers named each client address. */
  readonly peers: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Some answers that came from no server of the shop. */
  readonly samples: readonly string[];
  readonly seconds: number;
}

/** What an inventory process counted. */
export interface InventoryCounts {
  readonly pid: number;
  readonly seen: {
    readonly total: number;
    readonly byPath: Readonly<Record<string, number>>;
    readonly byPeer: Readonly<Record<string, number>>;
    /** By the SPIFFE ID of the call's mTLS; "none" for a call without. */
    readonly byIdentity: Readonly<Record<string, number>>;
  };
}

/** The applications' control sockets. They bypass the pod network, so that asking them does not change the measurements. */
export class Controls {
  private readonly folder: string;
  private readonly signal: AbortSignal;

  /** `signal` ends a pending question. */
  constructor(folder: string, signal: AbortSignal) {
    this.folder = folder;
    this.signal = signal;
  }

  /** Makes a load generator call `url` `count` times, `concurrency` at a time, over new connections. */
  run(ip: string, url: string, count: number, concurrency: number): Promise<Outcome> {
    const query = new URLSearchParams({ url, count: String(count), concurrency: String(concurrency) });
    return this.ask<Outcome>(ip, `/run?${query.toString()}`);
  }

  /** Makes a client open new connections for its next calls. */
  async renew(ip: string): Promise<void> {
    await this.ask(ip, "/renew");
  }

  /** Makes an inventory fail every nth call; 1: every call. */
  async fail(ip: string, every: number): Promise<void> {
    await this.ask(ip, `/fail?every=${every}`);
  }

  /** Sets an application's counts to zero. */
  async forget(ip: string): Promise<void> {
    await this.ask(ip, "/forget");
  }

  counts(ip: string): Promise<InventoryCounts> {
    return this.ask<InventoryCounts>(ip, "/counts");
  }

  /** How the storefront's calls to the inventory ended, by status. */
  outcomes(ip: string): Promise<{ readonly outcomes: Readonly<Record<string, number>> }> {
    return this.ask(ip, "/outcomes");
  }

  private async ask<T>(ip: string, path: string): Promise<T> {
    const silent = (cause: unknown): AmbitError =>
      new AmbitError({
        code: "demo-application-silent",
        kind: "system",
        what: `the application at ${ip} does not answer ${path} on its control socket`,
        cause,
      });
    const options = { timeoutMs: TIMEOUT_MS, signal: this.signal };
    const { status, body } = await askUnix(join(this.folder, `${ip}.sock`), path, options).catch((error: unknown) => {
      throw silent(error);
    });
    if (status !== 200) throw silent(body);
    // The applications belong to the demo: their answers have this type.
    return JSON.parse(body) as T;
  }
}
