import type { Command } from "commander";
import { labStatus } from "../client.ts";
import type { PodStatus } from "../lab-status.ts";
import { AmbitError } from "../../../agent/lib/errors.ts";
import { printLog } from "./follow-file.ts";
import { labNameOption, podReference } from "./lab-options.ts";

interface LogsOptions {
  readonly name: string;
  readonly container?: string;
  readonly follow?: boolean;
}

export function addLabLogs(lab: Command): void {
  lab
    .command("logs")
    .summary("what a pod's container has printed")
    .description("Prints what a pod's container has written to its standard output and error, over all its restarts.")
    .argument("<namespace/pod>", "the pod")
    .addOption(labNameOption())
    .option("-c, --container <container>", "the container (default: the pod's first)")
    .option("-f, --follow", "go on with what it prints from now on, until Ctrl-C or the lab's end")
    .addHelpText(
      "after",
      "\nExamples:\n  $ ambit lab logs --name try shop/storefront\n  $ ambit lab logs --name try shop/storefront -c app --follow",
    )
    .action(async (reference: string, options: LogsOptions) => {
      const { namespace, pod: name } = podReference(reference);
      const { pods } = await labStatus(options.name);
      const pod = pods.find((each) => each.namespace === namespace && each.name === name);
      if (pod === undefined) throw notFound(`the lab has no pod ${namespace}/${name}`, "see 'ambit lab status'");
      await printLog(logOf(pod, options.container), options.follow ?? false);
    });
}

function logOf({ namespace, name, containers, reason }: PodStatus, wanted: string | undefined): string {
  const found = wanted === undefined ? containers[0] : containers.find((container) => container.name === wanted);
  if (found !== undefined) return found.log;
  const names = containers.map((container) => container.name).join(", ") || `none: ${reason}`;
  throw notFound(`the pod ${namespace}/${name} has no container ${wanted ?? ""}`.trimEnd(), `its containers: ${names}`);
}

function notFound(what: string, remedy: string): AmbitError {
  return new AmbitError({ code: "not-in-lab", kind: "user", what, remedy });
}
