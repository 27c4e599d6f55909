import type { Command } from "commander";
import { addEnrollmentOptions, changeEnrollment, type EnrollmentFlags } from "./change-enrollment.ts";
import type { EnrollmentTarget } from "./label-edit.ts";

export function registerEnroll(program: Command): void {
  addEnrollmentOptions(program.command("enroll"))
    .description(
      "Sets the label by which a namespace, or a single pod, joins the mesh. Nothing restarts. Open connections " +
        "stay as they are, and new ones go through the mesh.",
    )
    .addHelpText(
      "after",
      `
Examples:
  $ ambit enroll shop                          in the only lab on this machine
  $ ambit enroll --name try shop/cart-7d4f-x   one pod, in the lab 'try'
  $ ambit enroll --manifests ./my-app shop     in the files; agents that read them follow

With kubectl, set the same label:
  $ kubectl label namespace shop ambit.dev/dataplane-mode=ambient`,
    )
    .action((target: EnrollmentTarget, flags: EnrollmentFlags) => changeEnrollment(target, flags, true));
}
