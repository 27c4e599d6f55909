import { constants } from "node:os";
import type { Command } from "commander";
import { start } from "../../../agent/lib/exec.ts";
import { requestJoinCommand } from "../control/client.ts";
import { requireRoot } from "../start-supervisor.ts";
import { labNameOption, podReference } from "./lab-options.ts";

export function addLabExec(lab: Command): void {
  lab
    .command("exec")
    .summary("run a command in a pod's container")
    .description(
      "Runs a command in a pod's container, with the network, names, environment and capabilities of the container. " +
        "Output and exit code are the command's own (128 + number of the signal that ended it).",
    )
    .argument("<namespace/pod>", "the pod, or a Deployment for one of its pods")
    .argument("<command...>", "the command, after --")
    .addOption(labNameOption())
    .option("-c, --container <container>", "the container (default: the pod's first)")
    .addHelpText("after", "\nExample:\n  $ ambit lab exec --name try shop/storefront -- getent hosts inventory")
    .action(async (pod: string, command: string[], options: { name: string; container?: string }) => {
      requireRoot();
      const { args } = await requestJoinCommand(options.name, { ...podReference(pod), container: options.container });
      process.exitCode = await runAttached("/bin/sh", [...args, ...command]);
    });
}

/** Runs a command at this terminal and returns its exit code. The command handles signals; this process waits for its end. */
function runAttached(file: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = start(file, args, { stdio: "inherit", cwd: "/" });
    // The terminal sends Ctrl-C to the whole process group. SIGTERM and SIGHUP have to be passed on.
    process.on("SIGINT", () => undefined);
    for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
