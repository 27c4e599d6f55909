import type { Command } from "commander";
import { seconds } from "../../../agent/lib/terminal/output.ts";
import { attach, release } from "../control/client.ts";
import { labPaths } from "../machine/lab-paths.ts";
import { startSupervisor } from "../start-supervisor.ts";
import { takeDown } from "../teardown.ts";
import { labNameOption, nodeCount } from "./lab-options.ts";
import { LabWatch } from "./lab-watch.ts";

interface UpOptions {
  readonly name: string;
  readonly manifests: string;
  readonly nodes: number;
  readonly detach?: boolean;
  readonly timeout: number;
  readonly agents: boolean;
}

export function addLabUp(lab: Command): void {
  lab
    .command("up")
    .summary("start a lab and wait until everything in it is ready")
    .description(
      "Starts a lab and waits until every pod is ready and every pod of an enrolled namespace is enrolled; changes of the\n" +
        "manifests are followed. Exits 1 where that is not so within the time limit, and says why. Stays in the foreground\n" +
        "until Ctrl-C, which takes the lab down, unless --detach is given.",
    )
    .addOption(labNameOption())
    .requiredOption("--manifests <dir>", "folder of Kubernetes manifests (*.yaml, *.yml, *.json)")
    .option("--nodes <count>", "how many nodes there are, where the manifests hold no Node objects", nodeCount, 2)
    .option("--detach", "leave the lab running in the background")
    .option("--timeout <seconds>", "time limit for everything to be ready", seconds, 60)
    .addOption(lab.createOption("--no-agents", "a cluster without a mesh").hideHelp())
    .addHelpText(
      "after",
      "\nExamples:\n" +
        "  $ ambit lab up --name try --manifests ./my-app            in the foreground, until Ctrl-C\n" +
        "  $ ambit lab up --name try --manifests ./my-app --detach   in the background",
    )
    .action(up);
}

async function up(options: UpOptions): Promise<void> {
  const { name, timeout, detach = false } = options;
  const stop = new AbortController();
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const onSignal = (): void => stop.abort();
  for (const signal of signals) process.on(signal, onSignal);
  try {
    await startSupervisor(options);
    // From here on, until it is ready, the lab does not outlive this command, however that ends.
    const tie = await attach(labPaths(name));
    const watch = new LabWatch(name);
    const failure = await watch.untilReady(timeout, stop.signal);
    if (failure === undefined && detach) {
      await release(name);
      tie.destroy();
      return;
    }
    if (failure === undefined) await watch.untilStopped(stop.signal);
    else process.exitCode = 1;
    process.stderr.write(`lab ${name}: going down\n`);
    await takeDown(name);
    if (failure !== undefined) process.stderr.write(`ambit: ${failure}\n`);
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
}
