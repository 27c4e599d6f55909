import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Child, start } from "../../agent/lib/exec.ts";
import { packageRoot } from "../../agent/lib/package.ts";

const PEER = join(packageRoot(), "test/kernel/helpers/peer.py");

export interface Place {
  /** Path of the network namespace. */
  readonly netns: string;
  /** cgroup directory. */
  readonly cgroup: string;
}

/** What a peer says in one line; only what tests look at. */
export interface Line {
  readonly ready?: boolean;
  readonly ok?: boolean;
  readonly error?: string;
  readonly errno?: number;
  readonly peername?: string;
  readonly sockname?: string;
  readonly answer?: string;
  readonly sender?: string;
  readonly echo?: string;
  readonly takers?: readonly string[];
  readonly server?: { readonly by: string; readonly peer: string; readonly local: string; readonly original?: string };
}

/** A running peer.py in its place. */
export class Peer {
  readonly #child: Child;
  readonly #lines: AsyncIterator<string>;

  constructor(place: Place, args: readonly (string | number)[], wrap: readonly string[] = []) {
    const enter = 'echo 0 > "$0/cgroup.procs" && exec nsenter --net="$1" "${@:2}"';
    const command = [...wrap, "python3", PEER, ...args.map(String)];
    this.#child = start("bash", ["-c", enter, place.cgroup, place.netns, ...command], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    if (this.#child.stdout === null) throw new Error("no standard output");
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async line(): Promise<Line> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error("the peer has ended");
    // The helper's own lines, which Line describes.
    return JSON.parse(value) as Line;
  }

  /** Sends a line through the peer's connection; what came back. */
  async echo(text: string): Promise<string | undefined> {
    this.#child.stdin?.write(`${text}\n`);
    return (await this.line()).echo;
  }

  /** Ends it and waits until it has. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGKILL");
    await ended;
  }
}
