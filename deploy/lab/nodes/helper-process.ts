import { closeSync, openSync } from "node:fs";
import { messageOf } from "../../../agent/lib/errors.ts";
import { start, type Child } from "../../../agent/lib/exec.ts";
import { RestartDelay } from "../machine/restart-delay.ts";
import { inNetns } from "../network/netns.ts";

export interface HelperOptions {
  readonly command: readonly [string, ...string[]];
  /** Its network namespace; default: the machine's own. */
  readonly netns?: string;
  readonly cgroup: string;
  /** For its standard error, and for its standard output unless `onLine` takes that. */
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Receives its standard output line by line. With it, `send` writes to its standard input. */
  readonly onLine?: (line: string) => void;
  readonly onStart?: () => void;
  readonly onEnd?: (reason: string) => void;
}

const JOIN_CGROUP = 'echo 0 > "$1/cgroup.procs"; shift; exec "$@"';

/** A process of the lab itself, restarted whenever it ends. */
export class HelperProcess {
  readonly #options: HelperOptions;
  readonly #delay = new RestartDelay();
  #child: Child | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  restarts = -1;

  constructor(options: HelperOptions) {
    this.#options = options;
    this.#start();
  }

  get pid(): number | undefined {
    const child = this.#child;
    return child !== undefined && child.exitCode === null && child.signalCode === null ? child.pid : undefined;
  }

  send(line: string): void {
    if (this.pid !== undefined) this.#child?.stdin?.write(`${line}\n`);
  }

  /** Ends the process for good. Resolves at its end, or after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (child === undefined || this.pid === undefined) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    let patience: NodeJS.Timeout | undefined;
    await Promise.race([ended, new Promise((resolve) => (patience = setTimeout(resolve, graceMs)))]);
    clearTimeout(patience);
  }

  #start(): void {
    const { command, netns, cgroup, logFile, env, onLine, onStart } = this.#options;
    const log = openSync(logFile, "a");
    const args = ["-ec", JOIN_CGROUP, "helper", cgroup, ...(netns === undefined ? command : inNetns(netns, command))];
    const child = start("/bin/sh", args, {
      cwd: "/",
      detached: true,
      env: { ...process.env, ...env },
      stdio: onLine === undefined ? ["ignore", log, log] : ["pipe", "pipe", log],
    });
    closeSync(log);
    this.#child = child;
    this.restarts++;
    this.#delay.started();
    // The pipe breaks when the process ends, which the handlers below report.
    child.stdin?.on("error", () => undefined);
    if (onLine !== undefined && child.stdout !== null) splitLines(child.stdout, onLine);
    child.once("error", (error) => this.#ended(child, messageOf(error)));
    child.once("exit", (code, signal) => this.#ended(child, signal ?? `exit code ${code}`));
    onStart?.();
  }

  #ended(child: Child, reason: string): void {
    if (child !== this.#child) return;
    this.#options.onEnd?.(reason);
    if (!this.#stopped) this.#timer = setTimeout(() => this.#start(), this.#delay.next());
  }
}

function splitLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  });
}
