import { Argument, Option, type Command } from "commander";
import { DEFAULT_MESH_OPTIONS } from "../model/mesh-options.ts";
import { describeTarget, enrollmentTarget, type EnrollmentTarget } from "./enrollment-target.ts";

/** The flags of `enroll` and `unenroll`. */
export interface EnrollmentFlags {
  readonly name?: string;
  readonly manifests?: string;
}

export function addEnrollmentOptions(command: Command): Command {
  return command
    .addArgument(new Argument("<target>", "NAMESPACE or NAMESPACE/POD").argParser(enrollmentTarget))
    .option("--name <lab>", "the lab it is in (default: the only one that runs)")
    .addOption(
      new Option("--manifests <folder>", "change the label in these files instead of in a lab").conflicts("name"),
    );
}

export async function changeEnrollment(target: EnrollmentTarget, flags: EnrollmentFlags, on: boolean): Promise<void> {
  if (flags.manifests !== undefined) return changeManifests(flags.manifests, target, on);
  const { enrollInLab } = await import("./enroll-lab.ts");
  await enrollInLab(flags.name, target, on);
}

async function changeManifests(folder: string, target: EnrollmentTarget, on: boolean): Promise<void> {
  const { labelManifests } = await import("./enroll-manifests.ts");
  const { key, value } = DEFAULT_MESH_OPTIONS.enrollmentLabel;
  const wanted = on ? value : "none";
  const { file, changed } = await labelManifests(folder, target, key, wanted);
  const said = changed
    ? `set ${key}=${wanted} on the ${describeTarget(target)}`
    : `the ${describeTarget(target)} needs no change`;
  process.stdout.write(`${file}: ${said}\n`);
}
