import type { Command } from "commander";
import { addLabDown } from "./lab-down.ts";
import { addLabExec } from "./lab-exec.ts";
import { addLabGet } from "./lab-get.ts";
import { addLabHelpers } from "./lab-helpers.ts";
import { addLabList } from "./lab-list.ts";
import { addLabLogs } from "./lab-logs.ts";
import { addLabStatus } from "./lab-status.ts";
import { addLabUp } from "./lab-up.ts";

/** `ambit lab …` */
export function registerLab(program: Command): void {
  const lab = program
    .command("lab")
    .description(
      "Plays kubelet for Kubernetes manifests on this machine: each node and each pod is a network namespace, and the " +
        "containers' commands run in it as processes of this machine. Needs root. Leaves nothing behind.",
    )
    .addHelpText(
      "after",
      "\nExamples:\n" +
        "  $ ambit lab up --name try --manifests ./my-app            in the foreground, until Ctrl-C\n" +
        "  $ ambit lab up --name try --manifests ./my-app --detach   in the background\n" +
        "  $ ambit lab exec --name try shop/storefront -- curl -s http://inventory\n" +
        "  $ ambit lab down --name try",
    );
  for (const add of [addLabUp, addLabStatus, addLabGet, addLabExec, addLabLogs, addLabList, addLabDown, addLabHelpers])
    add(lab);
}
