import { closeSync, openSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { ensureEnvoy } from "../../agent/envoy/find-envoy.ts";
import { AmbitError } from "../../agent/lib/errors.ts";
import { start } from "../../agent/lib/exec.ts";
import { draftState, isSupervised, labExists, readSupervisor, removeEmptyStateDirs } from "./claim.ts";
import { labPaths } from "./machine/lab-paths.ts";
import { tailOf } from "./machine/log-tail.ts";
import { selfCommand } from "./machine/self-command.ts";
import type { StartupReport } from "./lab-supervisor.ts";
import { removeLab } from "./teardown.ts";

export interface LabUpOptions {
  readonly name: string;
  readonly manifests: string;
  readonly nodes: number;
  readonly agents: boolean;
}

/**
 * Starts a lab's supervisor as a process of its own. Resolves once the lab's network exists and its pods begin to start.
 * Before that it removes the remains of a lab with this name whose supervisor was killed.
 * Throws AmbitError `not-root`, `lab-exists`, `lab-name`, `manifests-not-found`, or the reason why the network failed.
 */
export async function startSupervisor(options: LabUpOptions): Promise<void> {
  requireRoot();
  const paths = labPaths(options.name);
  if (isSupervised(paths)) throw labExists(paths);
  if (readSupervisor(paths) !== undefined) await removeLab(paths);
  // Fetched here, as a lab's node has no way to the internet, and its agents would all fetch it at once.
  const env = options.agents ? { ...process.env, AMBIT_ENVOY: (await ensureEnvoy()).path } : process.env;
  const draft = draftState(options.name);
  const log = openSync(join(draft, "supervisor.log"), "a");
  const [file, ...args] = selfCommand(
    ...["lab", "run", "--name", options.name, "--manifests", resolve(options.manifests)],
    ...["--nodes", String(options.nodes), "--draft", draft, ...(options.agents ? [] : ["--no-agents"])],
  );
  const child = start(file, args, { cwd: "/", env, detached: true, stdio: ["ignore", log, log, "pipe"] });
  closeSync(log);
  const ended = new Promise((done) => child.once("exit", done));
  const report = await readReport(child.stdio[3] as NodeJS.ReadableStream);
  if ("failure" in report) await ended;
  else child.unref();
  // The supervisor has renamed the draft, unless it failed earlier.
  const said = tailOf(join(draft, "supervisor.log"), 3) || tailOf(paths.supervisorLog, 3);
  rmSync(draft, { recursive: true, force: true });
  if ("listening" in report) return;
  removeEmptyStateDirs();
  throw new AmbitError({ why: said, ...report.failure });
}

export function requireRoot(): void {
  if (process.getuid?.() === 0) return;
  throw new AmbitError({
    code: "not-root",
    kind: "user",
    what: "a lab needs root: it makes network namespaces and cgroups, and loads eBPF programs",
    remedy: "run the command with sudo",
  });
}

async function readReport(stream: NodeJS.ReadableStream): Promise<StartupReport> {
  let text = "";
  stream.setEncoding("utf8");
  for await (const chunk of stream) text += String(chunk);
  if (text !== "") return JSON.parse(text) as StartupReport;
  const what = "the lab's supervisor ended before the lab was up";
  return { failure: { code: "supervisor-died", kind: "system", what, remedy: "run 'ambit check'" } };
}
