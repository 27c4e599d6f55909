import { createHash } from "node:crypto";
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AmbitError, describe } from "../lib/errors.ts";
import { start, type Child } from "../lib/exec.ts";
import type { Logger } from "../lib/log.ts";
import { askAdmin } from "./admin-client.ts";
import { bootstrap } from "./bootstrap.ts";
import type { EnvoyBinary } from "./find-envoy.ts";
import { end, identify, isAlive, type ProcessIdentity } from "../lib/process-identity.ts";
import { howItEnded, lastWords, logSize } from "./last-words.ts";
import { Liveness } from "./liveness.ts";
import { findRecorded, forget, record } from "./process-record.ts";
import { endedTrouble, silentTrouble, type Trouble } from "./trouble.ts";

export interface SupervisorOptions {
  readonly binary: EnvoyBinary;
  readonly node: string;
  /** Holds the sockets, the log, and what is needed to find a running Envoy again. */
  readonly stateDir: string;
  readonly adsSocket: string;
  /** cgroup v2 directory that Envoy is put into before it runs: the kernel's programs know it by that. */
  readonly cgroup: string;
  /** Worker threads. */
  readonly concurrency: number;
  /** An Envoy that has not answered for so long is replaced. */
  readonly patienceMs: number;
  /** An Envoy is about to start, which knows nothing of what the one before it was told. */
  readonly onStart?: () => void;
  readonly log: Logger;
}

export interface EnvoyStatus {
  readonly pid: number | undefined;
  readonly version: string;
  readonly ready: boolean;
  readonly restarts: number;
  /** What is wrong with it; undefined where nothing is known to be. */
  readonly trouble: Trouble | undefined;
}

const WATCH_MS = 100;
const ANSWER_MS = 2_000;
const GRACE_MS = 2_000;
const MAX_BACKOFF_MS = 10_000;
/** An Envoy that has lived this long has started well: the next restart is immediate again. */
const STABLE_MS = 10_000;
/** For so long Envoy keeps a listener that has gone or changed, 100 kB each, seven a pod; by itself for 10 minutes. */
const DRAIN_SECONDS = 60;

// Envoy asks the kernel to be killed when its parent ends (PR_SET_PDEATHSIG). So its parent is this shell, in a session of
// its own, which outlives the agent; and it joins its cgroup before it opens a socket.
const PARENT = `echo $$ > "$1/cgroup.procs" || exit 1
pid_file=$2; shift 2
"$@" & echo $! > "$pid_file.new" && mv "$pid_file.new" "$pid_file"
wait $!
echo $? > "$pid_file.exit"`;

/** Keeps one Envoy running. It outlives this process; the next supervisor of the same folder adopts it. */
export class EnvoySupervisor {
  readonly #options: SupervisorOptions;
  readonly #adminSocket: string;
  readonly #pidFile: string;
  readonly #configFile: string;
  readonly #logFile: string;
  readonly #liveness: Liveness;
  #envoy: ProcessIdentity | undefined;
  #ready = false;
  #restarts = 0;
  #startedAt = 0;
  #backoffMs = 0;
  #logStart = 0;
  #inARow = 0;
  #trouble: Trouble | undefined;
  #timer: NodeJS.Timeout | undefined;
  #watching: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#adminSocket = join(options.stateDir, "envoy-admin.sock");
    this.#pidFile = join(options.stateDir, "envoy.pid");
    this.#configFile = join(options.stateDir, "bootstrap.json");
    this.#logFile = join(options.stateDir, "envoy.log");
    this.#liveness = new Liveness(options.patienceMs);
  }

  get adminSocket(): string {
    return this.#adminSocket;
  }

  /**
   * Adopts the Envoy that runs, if it was started the same way; else ends it and starts one. Then watches it, and starts
   * another when it ends or does not start.
   */
  async start(): Promise<void> {
    const { log } = this.#options;
    const running = findRecorded(this.#pidFile, this.#configFile);
    if (running?.fingerprint === this.#fingerprint()) {
      this.#envoy = running.process;
      this.#logStart = logSize(this.#logFile);
      log.info({ pid: this.#envoy.pid }, "Envoy adopted");
    } else {
      if (running !== undefined) {
        // Two would bind the same ports in the pods, and each would get half of the connections.
        log.warn({ pid: running.process.pid }, "an Envoy runs that was started differently; ending it");
        await end(running.process, GRACE_MS);
      }
      await this.#tryToStart();
    }
    if (this.#envoy !== undefined) this.#watchSoon(WATCH_MS);
  }

  status(): EnvoyStatus {
    const { version } = this.#options.binary;
    return { pid: this.#envoy?.pid, version, ready: this.#ready, restarts: this.#restarts, trouble: this.#trouble };
  }

  /** Stops watching; Envoy goes on. */
  release(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** Ends Envoy: politely first, by force after `graceMs` (default 2000). */
  async stop(graceMs = GRACE_MS): Promise<void> {
    this.release();
    // An Envoy that is being started now is ours to end, too.
    await this.#watching;
    if (this.#envoy !== undefined) await end(this.#envoy, graceMs);
    this.#envoy = undefined;
    this.#ready = false;
    forget(this.#pidFile);
  }

  async #watch(): Promise<void> {
    const envoy = this.#envoy;
    if (envoy === undefined) {
      this.#restarts++;
      await this.#tryToStart();
      if (this.#envoy !== undefined) this.#watchSoon(WATCH_MS);
      return;
    }
    if (isAlive(envoy)) {
      if (Date.now() - this.#startedAt > STABLE_MS) {
        this.#backoffMs = 0;
        this.#inARow = 0;
      }
      await this.#ask(envoy);
      return this.#watchSoon(WATCH_MS);
    }
    await this.#ended({ pid: envoy.pid });
  }

  async #tryToStart(): Promise<void> {
    try {
      await this.#spawn();
    } catch (error) {
      await this.#ended({ error: describe(error) });
    }
  }

  /** Notes how it ended, and has the next one started after a while. */
  async #ended(about: { readonly pid?: number; readonly error?: string }): Promise<void> {
    this.#ready = false;
    this.#envoy = undefined;
    this.#liveness.answered();
    const said = lastWords(this.#logFile, this.#logStart);
    const ending = {
      livedMs: this.#startedAt === 0 ? undefined : Date.now() - this.#startedAt,
      how: await howItEnded(`${this.#pidFile}.exit`),
      inARow: ++this.#inARow,
      said,
    };
    this.#trouble = endedTrouble(ending, this.#logFile, this.#command().args.join(" "));
    const againInMs = this.#nextBackoff();
    this.#options.log.error({ ...about, said, remedy: this.#trouble.remedy, againInMs }, this.#trouble.what);
    this.#watchSoon(againInMs);
  }

  /** Is it ready? One that has not answered for long is ended. */
  async #ask(envoy: ProcessIdentity): Promise<void> {
    const { log, patienceMs } = this.#options;
    const timeoutMs = Math.min(ANSWER_MS, patienceMs / 4);
    try {
      this.#ready = (await askAdmin(this.#adminSocket, "/ready", { timeoutMs })).body.startsWith("LIVE");
      this.#liveness.answered();
      if (this.#ready) this.#trouble = undefined;
    } catch {
      this.#ready = false;
      const silence = this.#liveness.unanswered(envoy.pid);
      if (silence.forMs < timeoutMs || !isAlive(envoy)) return;
      this.#trouble = silentTrouble(silence.sinceMs, silence.cause, this.#logFile, patienceMs);
      if (!silence.hung) return;
      log.error({ pid: envoy.pid, silentForMs: silence.forMs }, this.#trouble.what);
      await end(envoy, 0);
    }
  }

  #nextBackoff(): number {
    const now = this.#backoffMs;
    this.#backoffMs = Math.min(MAX_BACKOFF_MS, Math.max(100, now * 2));
    return now;
  }

  #watchSoon(ms: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => (this.#watching = this.#watch()), ms);
  }

  #command(): { readonly args: readonly string[]; readonly bootstrapJson: string } {
    const { binary, node, adsSocket, concurrency } = this.#options;
    const bootstrapJson = JSON.stringify(bootstrap({ node, adsSocket, adminSocket: this.#adminSocket }));
    const args = [binary.path, "--config-path", this.#configFile, "--disable-hot-restart"];
    return {
      args: [
        ...args,
        "--concurrency",
        String(concurrency),
        "--log-level",
        "warning",
        "--file-flush-interval-msec",
        "1000",
        "--drain-time-s",
        String(DRAIN_SECONDS),
      ],
      bootstrapJson,
    };
  }

  /** Tells Envoys that were started differently apart. */
  #fingerprint(): string {
    return createHash("sha256").update(JSON.stringify(this.#command())).digest("hex");
  }

  async #spawn(): Promise<void> {
    const { cgroup, log } = this.#options;
    const { args, bootstrapJson } = this.#command();
    writeFileSync(this.#configFile, bootstrapJson);
    forget(this.#pidFile);
    rmSync(this.#adminSocket, { force: true });
    this.#logStart = logSize(this.#logFile);
    this.#startedAt = Date.now();
    this.#options.onStart?.();
    const logFile = openSync(this.#logFile, "a");
    const parent = start("/bin/sh", ["-c", PARENT, "envoy-parent", cgroup, this.#pidFile, ...args], {
      detached: true,
      stdio: ["ignore", logFile, logFile],
    });
    parent.unref();
    closeSync(logFile);
    this.#envoy = await this.#appeared(parent);
    record(this.#pidFile, { process: this.#envoy, fingerprint: this.#fingerprint() });
    log.info({ pid: this.#envoy.pid }, "Envoy started");
  }

  async #appeared(parent: Child): Promise<ProcessIdentity> {
    for (const deadline = Date.now() + 5_000; Date.now() < deadline;) {
      // In this order: a parent that has ended has written all that it had to write.
      const over = parent.exitCode !== null || parent.signalCode !== null;
      if (existsSync(this.#pidFile)) {
        const found = identify(Number(readFileSync(this.#pidFile, "utf8").trim()));
        if (found !== undefined) return found;
      }
      if (over) break;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    throw new AmbitError({
      code: "envoy-not-started",
      kind: "system",
      what: "Envoy ended at once, or was never started",
      remedy: `read ${this.#logFile}; is ${this.#options.cgroup} a cgroup v2 directory?`,
    });
  }
}
