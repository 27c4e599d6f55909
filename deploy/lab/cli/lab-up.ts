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
      "Starts a lab, and waits until all pods are ready and the pods of enrolled namespaces are in the mesh. Exits 1 with " +
        "the reasons if the time limit passes first. The lab follows changes of the manifests. Without --detach the command " +
        "stays in the foreground, and Ctrl-C takes the lab down.",
    )
    .addOption(labNameOption())
    .requiredOption("--manifests <dir>", "folder of Kubernetes manifests (*.yaml, *.yml, *.json)")
    .option("--nodes <count>", "number of nodes, if the manifests hold no Node objects", nodeCount, 2)
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
    // Until the lab is ready, it goes down when this command ends, even by SIGKILL.
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
