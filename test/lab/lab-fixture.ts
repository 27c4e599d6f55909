import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { start, type Child, type ExecResult } from "../../agent/lib/exec.ts";
import { labCgroup } from "../../deploy/lab/machine/cgroup.ts";
import type { LabStatus } from "../../deploy/lab/control/status-protocol.ts";
import { identify } from "../../agent/lib/process-identity.ts";
import { poll } from "../../deploy/lab/control/client.ts";
import { tryRun } from "../../deploy/lab/machine/run-command.ts";
import { AMBIT } from "../support/ambit-command.ts";

const WAIT_MS = 60_000;
let count = 0;

/** A lab of its own name and state folder, without agents; `remove` it at the end. */
export class TestLab {
  readonly name = `amb-lab-${process.pid}-${(count += 1)}`;
  readonly folder = mkdtempSync(join(tmpdir(), `${this.name}-`));
  readonly manifests = join(this.folder, "manifests");
  readonly state = join(this.folder, "state");
  readonly root = join(this.state, "labs", this.name);

  constructor(manifests: Readonly<Record<string, string>>) {
    mkdirSync(this.manifests);
    for (const [file, text] of Object.entries(manifests)) this.write(file, text);
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.manifests, file), text);
  }

  /** Runs `ambit lab COMMAND --name … ARGS`. */
  run(command: string, args: readonly string[] = [], input = ""): Promise<ExecResult> {
    return tryRun(process.execPath, this.#commandLine(command, args), {
      input,
      timeoutMs: 2 * WAIT_MS,
      env: this.#env,
    });
  }

  /** The same, without waiting for its end. */
  start(command: string, args: readonly string[] = []): Child {
    return start(process.execPath, this.#commandLine(command, args), {
      stdio: "ignore",
      detached: true,
      env: this.#env,
    });
  }

  up(...args: string[]): Promise<ExecResult> {
    return this.run("up", [
      "--manifests",
      this.manifests,
      "--no-agents",
      "--detach",
      "--timeout",
      String(WAIT_MS / 1000),
      ...args,
    ]);
  }

  exec(pod: string, ...command: string[]): Promise<ExecResult> {
    return this.run("exec", [pod, "--", ...command]);
  }

  async status(): Promise<LabStatus> {
    const { code, stdout, stderr } = await this.run("status", ["-o", "json"]);
    if (code !== 0) throw new Error(stderr);
    return JSON.parse(stdout) as LabStatus;
  }

  /** Waits until its status is as wanted. Throws with the status after `WAIT_MS`. */
  async until(wanted: (status: LabStatus) => boolean): Promise<LabStatus> {
    const status = await poll(WAIT_MS, 50, () => this.status(), wanted);
    if (wanted(status)) return status;
    throw new Error(`the lab did not reach the wanted status: ${JSON.stringify(status, undefined, 1)}`);
  }

  /** Resolved objects of a kind (`pods`, `services`, …), as the agents read them. */
  resolved<T>(kind: string): readonly T[] {
    const text = readFileSync(join(this.root, "cluster", `${kind}.json`), "utf8");
    return (JSON.parse(text) as { items: readonly T[] }).items;
  }

  /** All traces of the lab on this machine. Empty once the lab is down. */
  async traces(): Promise<readonly string[]> {
    const netns = (await tryRun("ip", ["netns", "list"])).stdout.split("\n").filter((line) => line.includes(this.name));
    const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
    const processes = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && this.#owns(Number(name)));
    return [
      ...netns.map((name) => `netns ${name}`),
      ...(existsSync(labCgroup(this.name)) ? [`cgroup ${labCgroup(this.name)}`] : []),
      ...mounts.filter((line) => line.includes(this.name)).map((line) => `mount ${line}`),
      ...processes.map((pid) => `process ${pid}: ${commandOf(Number(pid))}`),
      ...(existsSync(this.state) ? [`folder ${this.state}`] : []),
    ];
  }

  async remove(): Promise<void> {
    await this.run("down");
    rmSync(this.folder, { recursive: true, force: true });
  }

  #owns(pid: number): boolean {
    // A zombie has ended. Its new parent reaps it, sooner or later.
    if (identify(pid) === undefined) return false;
    if (commandOf(pid).includes(this.name)) return true;
    try {
      return readFileSync(`/proc/${pid}/cgroup`, "utf8").includes(`/ambit/${this.name}/`);
    } catch {
      return false;
    }
  }

  get #env(): NodeJS.ProcessEnv {
    return { ...process.env, AMBIT_STATE_DIR: this.state };
  }

  #commandLine(command: string, args: readonly string[]): readonly string[] {
    return [AMBIT, "lab", command, "--name", this.name, ...args];
  }
}

export function isRunning(pid: number): boolean {
  return identify(pid) !== undefined;
}

/** "" for a process that is gone. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}
