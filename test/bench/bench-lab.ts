import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exec, tryExec } from "../../agent/lib/exec.ts";
import { stringify } from "../../agent/lib/yaml.ts";

export interface LabStatus {
  readonly authorityPid: number | null;
  readonly nodes: readonly {
    readonly name: string;
    readonly agentPid: number;
    readonly envoyPid: number;
    readonly adminSocket: string;
    readonly ready: boolean;
  }[];
  readonly pods: readonly {
    readonly namespace: string;
    readonly name: string;
    readonly ip: string;
    readonly netns: string;
    readonly enrolled: boolean;
    readonly ready: boolean;
  }[];
}

/** A lab for benchmarks, driven as a user drives it. */
export class BenchLab {
  readonly name: string;
  /** For manifests, and whatever else a benchmark has to write; gone with the lab. */
  readonly folder: string = mkdtempSync(join(tmpdir(), "ambit-bench-"));
  readonly #launcher: string;

  /** `root`: the checkout. */
  constructor(root: string, purpose = "bench") {
    this.name = `${purpose}${process.pid % 10_000}`;
    this.#launcher = join(root, "agent/setup/launch.mjs");
    // Sidecars run as a user of their own and have their configuration below.
    chmodSync(this.folder, 0o755);
    mkdirSync(this.manifests);
  }

  get manifests(): string {
    return join(this.folder, "manifests");
  }

  write(file: string, ...objects: readonly unknown[]): void {
    writeFileSync(join(this.manifests, file), objects.map((object) => stringify(object)).join("---\n"));
  }

  async up(nodes: number): Promise<void> {
    const where = ["--manifests", this.manifests, "--nodes", String(nodes)];
    await exec(process.execPath, this.command("up", ...where, "--detach", "--timeout", "120"), { timeoutMs: 180_000 });
  }

  async down(): Promise<void> {
    await tryExec(process.execPath, this.command("down"), { timeoutMs: 120_000 });
    rmSync(this.folder, { recursive: true, force: true });
  }

  async status(): Promise<LabStatus> {
    return JSON.parse(await exec(process.execPath, this.command("status", "-o", "json"))) as LabStatus;
  }

  async exec(pod: string, ...command: readonly string[]): Promise<string> {
    return exec(process.execPath, [...this.command("exec", pod, "--"), ...command]);
  }

  /** The command line that runs a command in a pod. */
  inPod(pod: string): readonly string[] {
    return [process.execPath, ...this.command("exec", pod, "--")];
  }

  command(verb: string, ...args: readonly string[]): readonly string[] {
    return [this.#launcher, "lab", verb, "--name", this.name, ...args];
  }
}
