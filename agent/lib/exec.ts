import { execFile, spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { AmbitError } from "./errors.ts";

export interface ExecResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ExecOptions {
  readonly input?: string;
  /** Milliseconds; default 30000. */
  readonly timeoutMs?: number;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

const GRACE_MS = 500;

/**
 * Runs a command to its end. Never rejects: a failed command has another code than 0, a missing command has code 127, and a
 * command that ran into the timeout has code 124.
 */
export function tryExec(command: string, args: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
  return new Promise((resolve) => {
    const timeoutMs = options.timeoutMs ?? 30_000;
    const child = execFile(
      command,
      args,
      {
        timeout: timeoutMs,
        maxBuffer: 64 << 20,
        cwd: options.cwd,
        env: options.env,
        encoding: "utf8",
      },
      (error, stdout, stderr) => {
        clearTimeout(deaf);
        const failed = error?.killed === true ? 124 : 127;
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : failed;
        resolve({ code, stdout, stderr: stderr === "" && error !== null ? error.message : stderr });
      },
    );
    // A command that the timeout has ended may leave children that keep its output open.
    const deaf = setTimeout(() => {
      child.stdout?.destroy();
      child.stderr?.destroy();
    }, timeoutMs + GRACE_MS);
    // A command may end without reading its input. That is no failure: the exit code decides.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(options.input ?? "");
  });
}

/**
 * Runs a command that has to succeed. Returns its standard output. Throws AmbitError `command-failed` with its error
 * output.
 */
export async function exec(command: string, args: readonly string[], options: ExecOptions = {}): Promise<string> {
  const result = await tryExec(command, args, options);
  if (result.code === 0) return result.stdout;
  throw new AmbitError({
    code: "command-failed",
    kind: "system",
    what: `'${command} ${args.join(" ")}' failed with exit code ${result.code}`,
    why: result.stderr.trim(),
  });
}

export type Child = ChildProcess;

/** Starts a process. The caller watches it and ends it. */
export function start(command: string, args: readonly string[], options: SpawnOptions): Child {
  return spawn(command, args, options);
}
