import type { Command } from "commander";
import { addEnrollmentOptions, changeEnrollment, type EnrollmentFlags } from "./enrollment.ts";
import type { EnrollmentTarget } from "./enrollment-target.ts";

export function registerUnenroll(program: Command): void {
  addEnrollmentOptions(program.command("unenroll"))
    .summary("take a namespace or a pod out of the mesh, while it runs")
    .description(
      "Sets the label's value to 'none'. Nothing restarts: connections that are open stay as they are, new " +
        "ones pass the mesh by. A pod that is taken out stays out while its namespace is in.",
    )
    .addHelpText(
      "after",
      `
Examples:
  $ ambit unenroll shop                          in the only lab that runs here
  $ ambit unenroll --name try shop/cart-7d4f-x   one pod, in the lab 'try'
  $ ambit unenroll --manifests ./my-app shop     in the files, for whoever follows them`,
    )
    .action((target: EnrollmentTarget, flags: EnrollmentFlags) => changeEnrollment(target, flags, false));
}
