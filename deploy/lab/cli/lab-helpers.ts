import type { Command } from "commander";
import { runKubelet } from "../kubelet/kubelet.ts";
import { superviseLab, type SupervisorOptions } from "../lab-supervisor.ts";
import { nodeCount } from "./lab-options.ts";

/** Hidden commands for the processes that a lab starts itself. */
export function addLabHelpers(lab: Command): void {
  lab
    .command("run", { hidden: true })
    .requiredOption("--name <name>")
    .requiredOption("--manifests <dir>")
    .requiredOption("--nodes <count>", "", nodeCount)
    .requiredOption("--draft <dir>")
    .option("--no-agents")
    .action((options: SupervisorOptions) => superviseLab(options));
  lab
    .command("kubelet", { hidden: true })
    .argument("<addresses...>")
    .action((addresses: string[]) => runKubelet(addresses));
}
