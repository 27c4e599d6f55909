import type { Command } from "commander";
import { addEnrollmentOptions, changeEnrollment, type EnrollmentFlags } from "./enrollment.ts";
import type { EnrollmentTarget } from "./enrollment-target.ts";

export function registerEnroll(program: Command): void {
  addEnrollmentOptions(program.command("enroll"))
    .summary("bring a namespace or a pod into the mesh, while it runs")
    .description(
      "Sets the label by which a namespace, or a single pod, joins the mesh. Nothing restarts: connections " +
        "that are open stay as they are, new ones take the mesh's path.",
    )
    .addHelpText(
      "after",
      `
Examples:
  $ ambit enroll shop                          in the only lab that runs here
  $ ambit enroll --name try shop/cart-7d4f-x   one pod, in the lab 'try'
  $ ambit enroll --manifests ./my-app shop     in the files, for whoever follows them

On a Kubernetes cluster the label is all there is to it:
  $ kubectl label namespace shop ambit.dev/dataplane-mode=ambient`,
    )
    .action((target: EnrollmentTarget, flags: EnrollmentFlags) => changeEnrollment(target, flags, true));
}
