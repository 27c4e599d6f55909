import { createHash } from "node:crypto";
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AmbitError, describe } from "../lib/errors.ts";
import { start, type Child } from "../lib/exec.ts";
import { askUnix } from "../lib/unix-http.ts";
import { bootstrap } from "./bootstrap.ts";
import { descriptorLimit } from "./descriptors.ts";
import { ensureEnvoy, type EnvoyBinary } from "./find-envoy.ts";
import { end, identify, isAlive, type ProcessIdentity } from "../lib/process-identity.ts";
import { Liveness } from "./liveness.ts";
import { findRecorded, forget, record } from "./process-record.ts";
import type { EnvoyStatus, EnvoyTrouble, NodeProxy, NodeProxyOptions } from "./proxy.ts";
import { endedTrouble, howItEnded, lastWords, logSize, silentTrouble } from "./trouble.ts";

/** Envoy as a process of this machine; fetches the binary if the machine has none. Call `start` on the result. */
export async function openEnvoyProcess(options: NodeProxyOptions): Promise<NodeProxy> {
  return new EnvoySupervisor(await ensureEnvoy(), options);
}

const WATCH_MS = 100;
const ANSWER_MS = 2_000;
const GRACE_MS = 2_000;
const MAX_BACKOFF_MS = 10_000;
/** An Envoy that has lived this long started well, so the next restart is immediate again. */
const STABLE_MS = 10_000;
/**
 * How long Envoy keeps a listener that was removed or changed: about 100 kB each, and a pod has seven. Envoy's default is
 * 10 minutes.
 */
const DRAIN_SECONDS = 60;

/** The part of its descriptors that connections of pods take at most: each may need another one towards its destination. */
const CONNECTIONS_SHARE = 0.45;

// Envoy asks the kernel to kill it when its parent ends (PR_SET_PDEATHSIG). So its parent is this shell, which has a session
// of its own and outlives the agent. The shell joins the cgroup first, so that Envoy is in it before it opens a socket.
// Each connection takes a descriptor or two, so Envoy gets as many as it may have.
// A core dump would hold the private keys of the node's pods. The limit stops a file; a pipe in core_pattern ignores it, and
// gets a dump without memory (core(5), coredump_filter). Both are inherited.
const PARENT = `echo $$ > "$1/cgroup.procs" || exit 1
ulimit -n "$(ulimit -H -n)"
ulimit -c 0
[ ! -w /proc/self/coredump_filter ] || echo 0 > /proc/self/coredump_filter
pid_file=$2; shift 2
"$@" & echo $! > "$pid_file.new" && mv "$pid_file.new" "$pid_file"
wait $!
echo $? > "$pid_file.exit"`;

/** Keeps one Envoy running. Envoy outlives this process; the next supervisor of the same folder adopts it. */
export class EnvoySupervisor implements NodeProxy {
  readonly #binary: EnvoyBinary;
  readonly #options: NodeProxyOptions;
  readonly #adminSocket: string;
  readonly #pidFile: string;
  readonly #configFile: string;
  readonly #logFile: string;
  readonly #liveness: Liveness;
  readonly #descriptors = descriptorLimit();
  #envoy: ProcessIdentity | undefined;
  #ready = false;
  #restarts = 0;
  #startedAt = 0;
  #backoffMs = 0;
  #logStart = 0;
  #inARow = 0;
  #trouble: EnvoyTrouble | undefined;
  #onStart: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #watching: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(binary: EnvoyBinary, options: NodeProxyOptions) {
    this.#binary = binary;
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

  onStart(listener: () => void): void {
    this.#onStart = listener;
  }

  /**
   * Adopts the Envoy that runs if it was started the same way; otherwise ends it and starts a new one. Then watches it, and
   * starts another when it ends or does not start.
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
        // Two Envoys would bind the same ports in the pods, and each would get half of the connections.
        log.warn({ pid: running.process.pid }, "the running Envoy was started differently; ending it");
        await end(running.process, GRACE_MS);
      }
      await this.#tryToStart();
    }
    if (this.#envoy !== undefined) this.#watchSoon(WATCH_MS);
  }

  status(): EnvoyStatus {
    const { version } = this.#binary;
    return { pid: this.#envoy?.pid, version, ready: this.#ready, restarts: this.#restarts, trouble: this.#trouble };
  }

  release(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** Ends Envoy: politely first, by force after `graceMs` (default 2000). */
  async stop(graceMs = GRACE_MS): Promise<void> {
    this.release();
    // An Envoy that is starting now must be ended too.
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

  /** Notes how Envoy ended, and schedules the next start. */
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

  /** Asks Envoy whether it is ready. Ends an Envoy that has been silent for too long. */
  async #ask(envoy: ProcessIdentity): Promise<void> {
    const { log, patienceMs } = this.#options;
    const timeoutMs = Math.min(ANSWER_MS, patienceMs / 4);
    try {
      this.#ready = (await askUnix(this.#adminSocket, "/ready", { timeoutMs })).body.startsWith("LIVE");
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
    const { node, adsSocket, concurrency, maxHeapBytes } = this.#options;
    const maxConnections = Math.floor(this.#descriptors * CONNECTIONS_SHARE);
    const bootstrapJson = JSON.stringify(
      bootstrap({ node, adsSocket, adminSocket: this.#adminSocket, maxConnections, maxHeapBytes }),
    );
    const args = [this.#binary.path, "--config-path", this.#configFile, "--disable-hot-restart"];
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

  /** Differs between Envoys that were started with a different binary, arguments, or bootstrap. */
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
    this.#onStart?.();
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
      // Look at the parent first: once it has ended, it has written everything it will write.
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
