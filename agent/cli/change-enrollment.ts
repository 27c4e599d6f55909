import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { Argument, InvalidArgumentError, Option, type Command } from "commander";
import { chooseLab } from "../../deploy/lab/choose-lab.ts";
import { labStatus, setEnrollment } from "../../deploy/lab/control/client.ts";
import { AmbitError } from "../lib/errors.ts";
import { DEFAULT_MESH_OPTIONS } from "../model/mesh-options.ts";
import { scanFolder } from "../sources/scan-folder.ts";
import { editLabel, type EnrollmentTarget } from "./label-edit.ts";

/** The flags of `enroll` and `unenroll`. */
export interface EnrollmentFlags {
  readonly name?: string;
  readonly manifests?: string;
}

export function addEnrollmentOptions(command: Command): Command {
  return command
    .addArgument(new Argument("<target>", "NAMESPACE or NAMESPACE/POD").argParser(enrollmentTarget))
    .option("--name <lab>", "the lab of the namespace (default: the only lab that runs)")
    .addOption(
      new Option("--manifests <folder>", "change the label in these files instead of in a lab").conflicts("name"),
    );
}

const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

function enrollmentTarget(text: string): EnrollmentTarget {
  const parts = text.split("/");
  const [namespace = "", pod] = parts;
  if (parts.length > 2 || !parts.every((part) => NAME.test(part))) {
    throw new InvalidArgumentError("Give NAMESPACE or NAMESPACE/POD.");
  }
  return { namespace, pod };
}

/** Lets a namespace or a pod join the mesh (`on`) or leave it, in a lab or in manifests. */
export async function changeEnrollment(target: EnrollmentTarget, flags: EnrollmentFlags, on: boolean): Promise<void> {
  if (flags.manifests === undefined) await changeLab(flags.name, target, on);
  else await changeManifests(flags.manifests, target, on);
}

/** Changes a running lab, waits until its nodes have followed, and prints the result. */
async function changeLab(name: string | undefined, target: EnrollmentTarget, on: boolean): Promise<void> {
  const lab = chooseLab(name).name;
  const { namespace, pod } = target;
  await setEnrollment(lab, pod === undefined ? namespace : `${namespace}/${pod}`, on);
  const { pods } = await labStatus(lab);
  const concerned = pods.filter((each) => each.namespace === namespace && (pod === undefined || each.name === pod));
  const inMesh = concerned.filter((each) => each.enrolled).length;
  process.stdout.write(
    `${describeTarget(target)} ${on ? "joined" : "left"}: ` +
      `${inMesh} of ${concerned.length} ${concerned.length === 1 ? "pod is" : "pods are"} in the mesh\n`,
  );
}

async function changeManifests(folder: string, target: EnrollmentTarget, on: boolean): Promise<void> {
  const { key, value } = DEFAULT_MESH_OPTIONS.enrollmentLabel;
  const wanted = on ? value : "none";
  const { file, changed } = await labelManifests(folder, target, key, wanted);
  const result = changed
    ? `set ${key}=${wanted} on the ${describeTarget(target)}`
    : `the ${describeTarget(target)} needs no change`;
  process.stdout.write(`${file}: ${result}\n`);
}

interface ManifestChange {
  /** The file that holds the Namespace or Pod. */
  readonly file: string;
  readonly changed: boolean;
}

/**
 * Sets the label of a Namespace or Pod in the folder's manifests, in place. Throws AmbitError `manifest-not-found` if no
 * file has that object.
 */
async function labelManifests(
  folder: string,
  target: EnrollmentTarget,
  key: string,
  value: string,
): Promise<ManifestChange> {
  // Of several definitions the last one counts, as it does for every reader of the folder.
  for (const { path } of (await scanFolder(folder)).files.toReversed()) {
    const edit = editLabel(readFileSync(path, "utf8"), target, key, value);
    if (edit.kind === "not-here") continue;
    if (edit.kind === "edited") replaceFile(path, edit.text);
    return { file: path, changed: edit.kind === "edited" };
  }
  throw new AmbitError({
    code: "manifest-not-found",
    kind: "user",
    what: `no manifest under ${folder} has the ${describeTarget(target)}`,
    why:
      target.pod === undefined
        ? undefined
        : "manifests hold the template of a Deployment's pods, and not the pods themselves",
    remedy:
      target.pod === undefined
        ? "add a Namespace object to the folder"
        : "enroll the namespace, or put the label into the template",
  });
}

/** By rename, so that a reader of the folder never sees half a file. */
function replaceFile(path: string, text: string): void {
  const fresh = `${path}.ambit-new`;
  writeFileSync(fresh, text);
  renameSync(fresh, path);
}

function describeTarget({ namespace, pod }: EnrollmentTarget): string {
  return pod === undefined ? `namespace ${namespace}` : `pod ${namespace}/${pod}`;
}
