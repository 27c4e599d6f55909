import type { Command } from "commander";
import { requireRoot } from "../start-supervisor.ts";
import { takeDown } from "../teardown.ts";
import { labNameOption } from "./lab-options.ts";

export function addLabDown(lab: Command): void {
  lab
    .command("down")
    .summary("end a lab and remove all of it")
    .description(
      "Ends a lab and removes its network namespaces, cgroups, mounts and files. Also removes the remains of a lab whose " +
        "supervisor was killed.",
    )
    .addOption(labNameOption())
    .addHelpText("after", "\nExample:\n  $ ambit lab down --name try")
    .action(async ({ name }: { name: string }) => {
      requireRoot();
      await takeDown(name);
      process.stderr.write(`lab ${name}: gone\n`);
    });
}
