import { AmbitError, messageOf } from "../../../agent/lib/errors.ts";
import { start, type ExecResult } from "../../../agent/lib/exec.ts";

export interface RunOptions {
  readonly input?: string;
  /** Milliseconds until the command is killed; default 30000. */
  readonly timeoutMs?: number;
  /** Default: this process's own. */
  readonly env?: NodeJS.ProcessEnv;
}

/** Output beyond this is dropped. No command of the lab prints nearly as much. */
const MAX_OUTPUT = 1 << 20;

/**
 * Runs a command to its end; never rejects. The command need not read its input: the short-lived `ip` and `umount` do not.
 * A command that does not exist has code 127, a killed one 137.
 */
export function tryRun(command: string, args: readonly string[], options: RunOptions = {}): Promise<ExecResult> {
  return new Promise((resolve) => {
    const child = start(command, args, { stdio: ["pipe", "pipe", "pipe"], env: options.env ?? process.env });
    let stdout = "";
    let stderr = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout = (stdout + text).slice(0, MAX_OUTPUT)));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr = (stderr + text).slice(0, MAX_OUTPUT)));
    // A command that does not read its input closes the pipe early.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(options.input ?? "");
    const timer = setTimeout(() => {
      stderr += `no end after ${(options.timeoutMs ?? DEFAULT_MS) / 1000} s`;
      child.kill("SIGKILL");
      // Children of the command may hold the pipes open for longer.
      child.stdout?.destroy();
      child.stderr?.destroy();
    }, options.timeoutMs ?? DEFAULT_MS);
    child.once("error", (error) => {
      clearTimeout(timer);
      resolve({ code: 127, stdout, stderr: messageOf(error) });
    });
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? 137, stdout, stderr });
    });
  });
}

const DEFAULT_MS = 30_000;

/** Returns the standard output of a command that has to succeed. Throws AmbitError `command-failed` with its error output. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await tryRun(command, args, options);
  if (code === 0) return stdout;
  throw new AmbitError({
    code: "command-failed",
    kind: "system",
    what: `'${command} ${args.join(" ")}' failed with exit code ${code}`,
    why: stderr.trim(),
  });
}
