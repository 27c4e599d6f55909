import { mkdirSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { LabStatus } from "../bench/bench-lab.ts";

/** A part of the soak in which the authority is away: ten minutes of an hour. */
const FROM = 0.4;
const PART = 1 / 6;

/** Ends the authority when its time has come, and lets it back. Nothing may fail meanwhile. */
export class AuthorityAway {
  readonly #from: number;
  readonly #until: number;
  #socket: string | undefined;
  #times = 0;

  constructor(started: number, end: number) {
    this.#from = started + (end - started) * FROM;
    this.#until = this.#from + (end - started) * PART;
  }

  get isAway(): boolean {
    return this.#socket !== undefined;
  }

  get times(): number {
    return this.#times;
  }

  follow(now: number, status: () => Promise<LabStatus>): Promise<void> {
    if (this.#times === 0 && now >= this.#from) return this.#begin(status);
    if (now >= this.#until) this.end();
    return Promise.resolve();
  }

  end(): void {
    if (this.#socket !== undefined) rmdirSync(this.#socket);
    this.#socket = undefined;
  }

  async #begin(status: () => Promise<LabStatus>): Promise<void> {
    const { authorityPid, nodes } = await status();
    // nodes/NODE/admin.sock, beside authority/agents.sock.
    const folder = nodes[0] === undefined ? undefined : dirname(dirname(dirname(nodes[0].adminSocket)));
    if (folder === undefined || authorityPid === null) throw new Error("the lab has no authority to end");
    const socket = join(folder, "authority/agents.sock");
    // A folder where its socket was: what the lab starts in its place ends again, until the folder is gone.
    rmSync(socket);
    mkdirSync(socket);
    this.#socket = socket;
    this.#times++;
    process.kill(authorityPid, "SIGKILL");
  }
}
