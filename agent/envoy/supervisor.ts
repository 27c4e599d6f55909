import { createHash } from "node:crypto";
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AmbitError, describe } from "../lib/errors.ts";
import { start } from "../lib/exec.ts";
import type { Logger } from "../lib/log.ts";
import { askAdmin } from "./admin-client.ts";
import { bootstrap } from "./bootstrap.ts";
import type { EnvoyBinary } from "./find-envoy.ts";
import { identify, isAlive, type ProcessIdentity } from "./process-identity.ts";

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
  #envoy: ProcessIdentity | undefined;
  #ready = false;
  #restarts = 0;
  #startedAt = 0;
  #backoffMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#adminSocket = join(options.stateDir, "envoy-admin.sock");
    this.#pidFile = join(options.stateDir, "envoy.pid");
  }

  get adminSocket(): string {
    return this.#adminSocket;
  }

  /** Adopts the Envoy that runs, if it was started the same way, or starts one; then watches it. */
  async start(): Promise<void> {
    this.#envoy = this.#runningEnvoy();
    if (this.#envoy === undefined) await this.#spawn();
    else this.#options.log.info({ pid: this.#envoy.pid }, "Envoy adopted");
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

  /** Ends Envoy: politely first, by force after `graceMs`. */
  async stop(graceMs = 2_000): Promise<void> {
    this.release();
    const envoy = this.#envoy;
    if (envoy === undefined) return;
    const deadline = Date.now() + graceMs;
    signal(envoy, "SIGTERM");
    while (isAlive(envoy)) {
      if (Date.now() > deadline) signal(envoy, "SIGKILL");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    rmSync(this.#pidFile, { force: true });
  }

  async #watch(): Promise<void> {
    const envoy = this.#envoy;
    if (envoy !== undefined && isAlive(envoy)) {
      if (Date.now() - this.#startedAt > STABLE_MS) this.#backoffMs = 0;
      this.#ready = await this.#askReady();
      return this.#watchSoon(WATCH_MS);
    }
    this.#ready = false;
    this.#envoy = undefined;
    this.#restarts++;
    this.#options.log.error({ pid: envoy?.pid, againInMs: this.#backoffMs }, "Envoy ended; starting another");
    if (this.#backoffMs > 0) await new Promise((resolve) => setTimeout(resolve, this.#backoffMs));
    this.#backoffMs = Math.min(MAX_BACKOFF_MS, Math.max(100, this.#backoffMs * 2));
    if (this.#stopped) return;
    try {
      await this.#spawn();
    } catch (error) {
      this.#options.log.error({ error: describe(error) }, "Envoy does not start");
    }
    this.#watchSoon(WATCH_MS);
  }

  #watchSoon(ms: number): void {
    if (!this.#stopped) this.#timer = setTimeout(() => void this.#watch(), ms);
  }

  async #askReady(): Promise<boolean> {
    try {
      return (await askAdmin(this.#adminSocket, "/ready")).body.startsWith("LIVE");
    } catch {
      return false;
    }
  }

  #command(): { readonly args: readonly string[]; readonly bootstrapJson: string } {
    const { binary, node, stateDir, adsSocket, concurrency } = this.#options;
    const bootstrapJson = JSON.stringify(bootstrap({ node, adsSocket, adminSocket: this.#adminSocket }));
    const args = [binary.path, "--config-path", join(stateDir, "bootstrap.json"), "--disable-hot-restart"];
    return { args: [...args, "--concurrency", String(concurrency), "--log-level", "warning"], bootstrapJson };
  }

  /** Tells Envoys that were started differently apart. */
  #fingerprint(): string {
    return createHash("sha256").update(JSON.stringify(this.#command())).digest("hex");
  }

  #runningEnvoy(): ProcessIdentity | undefined {
    const recordFile = `${this.#pidFile}.json`;
    if (!existsSync(recordFile)) return undefined;
    try {
      const record: unknown = JSON.parse(readFileSync(recordFile, "utf8"));
      if (!isRecord(record) || record.fingerprint !== this.#fingerprint()) return undefined;
      return isAlive(record) ? record : undefined;
    } catch {
      return undefined;
    }
  }

  async #spawn(): Promise<void> {
    const { stateDir, cgroup, log } = this.#options;
    const { args, bootstrapJson } = this.#command();
    writeFileSync(join(stateDir, "bootstrap.json"), bootstrapJson);
    rmSync(this.#pidFile, { force: true });
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
    writeFileSync(`${this.#pidFile}.json`, JSON.stringify({ ...this.#envoy, fingerprint: this.#fingerprint() }));
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

function signal(process_: ProcessIdentity, name: "SIGTERM" | "SIGKILL"): void {
  if (isAlive(process_)) process.kill(process_.pid, name);
}

function isRecord(value: unknown): value is ProcessIdentity & { readonly fingerprint: string } {
  return (
    typeof value === "object" &&
    value !== null &&
    "pid" in value &&
    typeof value.pid === "number" &&
    "startTime" in value &&
    typeof value.startTime === "string" &&
    "fingerprint" in value &&
    typeof value.fingerprint === "string"
  );
}
