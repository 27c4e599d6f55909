import type { Readable } from "node:stream";
import { AmbitError } from "../../agent/lib/errors.ts";
import { start } from "../../agent/lib/exec.ts";
import { selfCommand } from "../lab/machine/self-command.ts";
import type { LabStatus } from "./lab-status.ts";

/** The lab that the demo runs in, driven by the same commands that a person would type. */
export class DemoLab {
  private readonly name: string;
  private readonly signal: AbortSignal;

  /** `signal` interrupts what is under way, as Ctrl-C would; taking the lab down is not interrupted. */
  constructor(name: string, signal: AbortSignal) {
    this.name = name;
    this.signal = signal;
  }

  /** Throws AmbitError `demo-command-failed` with what the lab said. */
  async up(manifests: string): Promise<void> {
    await ambit(["lab", "up", "--name", this.name, "--manifests", manifests, "--nodes", "2", "--detach"], this.signal);
  }

  async down(): Promise<void> {
    await ambit(["lab", "down", "--name", this.name]);
  }

  async status(): Promise<LabStatus> {
    // What it prints is a contract that scripts rely on; it is not checked field by field here.
    return JSON.parse(await ambit(["lab", "status", "--name", this.name, "-o", "json"], this.signal)) as LabStatus;
  }

  /** Returns when it is effective on every node. */
  async enroll(namespace: string): Promise<void> {
    await ambit(["enroll", "--name", this.name, namespace], this.signal);
  }

  async unenroll(namespace: string): Promise<void> {
    await ambit(["unenroll", "--name", this.name, namespace], this.signal);
  }
}

/**
 * Runs this very program with other arguments; its standard output. In a session of its own, so that Ctrl-C ends the demo
 * and not, half-way, what the demo has asked for.
 */
async function ambit(args: readonly string[], signal?: AbortSignal): Promise<string> {
  signal?.throwIfAborted();
  const [file, ...rest] = selfCommand(...args);
  const child = start(file, rest, {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const exit = new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
  const interrupt = (): void => void child.kill("SIGINT");
  signal?.addEventListener("abort", interrupt);
  const [stdout, stderr, code] = await Promise.all([textOf(child.stdout), textOf(child.stderr), exit]);
  signal?.removeEventListener("abort", interrupt);
  signal?.throwIfAborted();
  if (code === 0) return stdout;
  throw new AmbitError({
    code: "demo-command-failed",
    kind: "system",
    what: `'ambit ${args.join(" ")}' failed with exit code ${code}`,
    why: stderr.trim(),
  });
}

async function textOf(stream: Readable | null): Promise<string> {
  let text = "";
  for await (const part of stream ?? []) text += String(part);
  return text;
}
