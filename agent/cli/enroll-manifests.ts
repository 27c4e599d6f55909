import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { AmbitError } from "../lib/errors.ts";
import { scanFolder } from "../sources/scan-folder.ts";
import { describeTarget, type EnrollmentTarget } from "./enrollment-target.ts";
import { editLabel } from "./label-edit.ts";

/** What happened to the manifests. */
export interface ManifestChange {
  /** The file that holds the Namespace or Pod. */
  readonly file: string;
  readonly changed: boolean;
}

/**
 * Sets the label of a Namespace or Pod in the folder's manifests, in place. Throws AmbitError `manifest-not-found` where no
 * file has that object.
 */
export async function labelManifests(
  folder: string,
  target: EnrollmentTarget,
  key: string,
  value: string,
): Promise<ManifestChange> {
  // Of several definitions the last one counts, as it does for whoever reads the folder.
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
      target.pod === undefined ? undefined : "the pods of a Deployment are not in the manifests, only its template is",
    remedy:
      target.pod === undefined
        ? "add a Namespace object to the folder"
        : "enroll the namespace, or put the label into the template",
  });
}

/** By rename, so that whoever follows the folder never reads half a file. */
function replaceFile(path: string, text: string): void {
  const fresh = `${path}.ambit-new`;
  writeFileSync(fresh, text);
  renameSync(fresh, path);
}
