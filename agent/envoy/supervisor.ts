import { createHash } from "node:crypto";
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AmbitError, describe } from "../lib/errors.ts";
import { start } from "../lib/exec.ts";
import type { Logger } from "../lib/log.ts";
import { askAdmin } from "./admin-client.ts";
import { bootstrap } from "./bootstrap.ts";
import type { EnvoyBinary } from "./find-envoy.ts";
import { end, identify, isAlive, type ProcessIdentity } from "../lib/process-identity.ts";
import { findRecorded, forget, record } from "./process-record.ts";

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
  readonly log: Logger;
}

export interface EnvoyStatus {
  readonly pid: number | undefined;
  readonly version: string;
  readonly ready: boolean;
  readonly restarts: number;
}

const WATCH_MS = 100;
const GRACE_MS = 2_000;
const MAX_BACKOFF_MS = 10_000;
/** An Envoy that has lived this long has started well: the next restart is immediate again. */
const STABLE_MS = 10_000;

// Envoy asks the kernel to be killed when its parent ends (PR_SET_PDEATHSIG). So its parent is this shell, in a session of
// its own, which outlives the agent; and it joins its cgroup before it opens a socket.
const PARENT = `echo $$ > "$1/cgroup.procs" || exit 1
pid_file=$2; shift 2
"$@" & echo $! > "$pid_file.new" && mv "$pid_file.new" "$pid_file"
wait $!`;

/** Keeps one Envoy running. It outlives this process; the next supervisor of the same folder adopts it. */
export class EnvoySupervisor {
  readonly #options: SupervisorOptions;
  readonly #adminSocket: string;
  readonly #pidFile: string;
  readonly #configFile: string;
  #envoy: ProcessIdentity | undefined;
  #ready = false;
  #restarts = 0;
  #startedAt = 0;
  #backoffMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #watching: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#adminSocket = join(options.stateDir, "envoy-admin.sock");
    this.#pidFile = join(options.stateDir, "envoy.pid");
    this.#configFile = join(options.stateDir, "bootstrap.json");
  }

  get adminSocket(): string {
    return this.#adminSocket;
  }

  /** Adopts the Envoy that runs, if it was started the same way; else ends it and starts one. Then watches it. */
  async start(): Promise<void> {
    const { log } = this.#options;
    const running = findRecorded(this.#pidFile, this.#configFile);
    if (running?.fingerprint === this.#fingerprint()) {
      this.#envoy = running.process;
      log.info({ pid: this.#envoy.pid }, "Envoy adopted");
    } else {
      if (running !== undefined) {
        // Two would bind the same ports in the pods, and each would get half of the connections.
        log.warn({ pid: running.process.pid }, "an Envoy runs that was started differently; ending it");
        await end(running.process, GRACE_MS);
      }
      await this.#spawn();
    }
    this.#watchSoon(WATCH_MS);
  }

  status(): EnvoyStatus {
    const { version } = this.#options.binary;
    return { pid: this.#envoy?.pid, version, ready: this.#ready, restarts: this.#restarts };
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
    if (envoy === undefined) return this.#startAnew();
    if (isAlive(envoy)) {
      if (Date.now() - this.#startedAt > STABLE_MS) this.#backoffMs = 0;
      this.#ready = await this.#askReady();
      return this.#watchSoon(WATCH_MS);
    }
    this.#ready = false;
    this.#envoy = undefined;
    this.#options.log.error({ pid: envoy.pid, againInMs: this.#backoffMs }, "Envoy ended; starting another");
    this.#watchSoon(this.#nextBackoff());
  }

  async #startAnew(): Promise<void> {
    this.#restarts++;
    try {
      await this.#spawn();
      this.#watchSoon(WATCH_MS);
    } catch (error) {
      this.#options.log.error({ error: describe(error), againInMs: this.#backoffMs }, "Envoy does not start");
      this.#watchSoon(this.#nextBackoff());
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

  async #askReady(): Promise<boolean> {
    try {
      return (await askAdmin(this.#adminSocket, "/ready")).body.startsWith("LIVE");
    } catch {
      return false;
    }
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
      ],
      bootstrapJson,
    };
  }

  /** Tells Envoys that were started differently apart. */
  #fingerprint(): string {
    return createHash("sha256").update(JSON.stringify(this.#command())).digest("hex");
  }

  async #spawn(): Promise<void> {
    const { stateDir, cgroup, log } = this.#options;
    const { args, bootstrapJson } = this.#command();
    writeFileSync(this.#configFile, bootstrapJson);
    forget(this.#pidFile);
    rmSync(this.#adminSocket, { force: true });
    const logFile = openSync(join(stateDir, "envoy.log"), "a");
    const parent = start("/bin/sh", ["-c", PARENT, "envoy-parent", cgroup, this.#pidFile, ...args], {
      detached: true,
      stdio: ["ignore", logFile, logFile],
    });
    parent.unref();
    closeSync(logFile);
    this.#startedAt = Date.now();
    this.#envoy = await this.#appeared();
    record(this.#pidFile, { process: this.#envoy, fingerprint: this.#fingerprint() });
    log.info({ pid: this.#envoy.pid }, "Envoy started");
  }

  async #appeared(): Promise<ProcessIdentity> {
    for (const deadline = Date.now() + 5_000; Date.now() < deadline;) {
      if (existsSync(this.#pidFile)) {
        const found = identify(Number(readFileSync(this.#pidFile, "utf8").trim()));
        if (found !== undefined) return found;
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    throw new AmbitError({
      code: "envoy-not-started",
      kind: "system",
      what: "Envoy ended at once, or was never started",
      remedy: `read ${join(this.#options.stateDir, "envoy.log")}; is ${this.#options.cgroup} a cgroup v2 directory?`,
    });
  }
}
