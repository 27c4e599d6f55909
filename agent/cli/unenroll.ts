import type { Command } from "commander";
import { addEnrollmentOptions, changeEnrollment, type EnrollmentFlags } from "./change-enrollment.ts";
import type { EnrollmentTarget } from "./label-edit.ts";

export function registerUnenroll(program: Command): void {
  addEnrollmentOptions(program.command("unenroll"))
    .description(
      "Sets the label's value to 'none'. Nothing restarts. Open connections stay as they are, and new ones do not " +
        "go through the mesh. A pod that left stays outside even if its namespace is in the mesh.",
    )
    .addHelpText(
      "after",
      `
Examples:
  $ ambit unenroll shop                          in the only lab on this machine
  $ ambit unenroll --name try shop/cart-7d4f-x   one pod, in the lab 'try'
  $ ambit unenroll --manifests ./my-app shop     in the files; agents that read them follow`,
    )
    .action((target: EnrollmentTarget, flags: EnrollmentFlags) => changeEnrollment(target, flags, false));
}
