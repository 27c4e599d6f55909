import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { AmbitError, errnoOf } from "../../agent/lib/errors.ts";
import { identify, isAlive, type ProcessIdentity } from "../../agent/lib/process-identity.ts";
import { labCgroup } from "./machine/cgroup.ts";
import { labsDir, stateDir, type LabPaths } from "./machine/lab-paths.ts";

/** The lab's supervisor, as recorded in the state folder. */
export interface SupervisorRecord extends ProcessIdentity {
  readonly manifests: string;
}

/** Makes a folder that becomes a lab's state folder later. Its name begins with a dot, as no lab's name does. */
export function draftState(lab: string): string {
  for (let attempt = 0; ; attempt++) {
    try {
      mkdirSync(labsDir(), { recursive: true, mode: 0o700 });
      return mkdtempSync(join(labsDir(), `.${lab}-`));
    } catch (error) {
      // The last other lab has just removed the empty folder.
      if (errnoOf(error) !== "ENOENT" || attempt === 10) throw error;
    }
  }
}

/** Makes a draft the lab's state folder, at once or not at all. Throws AmbitError `lab-exists`. */
export function claimState(draft: string, paths: LabPaths, manifests: string): void {
  const self = identify(process.pid);
  writeFileSync(join(draft, "supervisor.json"), JSON.stringify({ ...self, manifests }));
  try {
    renameSync(draft, paths.root);
  } catch (error) {
    if (errnoOf(error) === "ENOTEMPTY" || errnoOf(error) === "EEXIST") throw labExists(paths);
    throw error;
  }
  try {
    makeCgroup(labCgroup(paths.name));
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
    // Two state folders can hold the same lab name, but the machine has each cgroup only once.
    renameSync(paths.root, draft);
    throw new AmbitError({
      code: "lab-exists",
      kind: "user",
      what: `a lab named '${paths.name}' runs on this machine with another state folder`,
      why: `there is a cgroup ${labCgroup(paths.name)}`,
      remedy: "choose another name (--name), or take that lab down with its AMBIT_STATE_DIR",
    });
  }
}

/** Throws EEXIST if the cgroup exists already. */
function makeCgroup(path: string): void {
  for (let attempt = 0; ; attempt++) {
    try {
      mkdirSync(dirname(path), { recursive: true });
      mkdirSync(path);
      return;
    } catch (error) {
      // The last other lab has just removed the empty cgroup above.
      if (errnoOf(error) !== "ENOENT" || attempt === 10) throw error;
    }
  }
}

/** undefined where no such lab exists. */
export function readSupervisor(paths: LabPaths): SupervisorRecord | undefined {
  try {
    return JSON.parse(readFileSync(paths.supervisor, "utf8")) as SupervisorRecord;
  } catch {
    return undefined;
  }
}

export function isSupervised(paths: LabPaths): boolean {
  const record = readSupervisor(paths);
  return record !== undefined && isAlive(record);
}

export function labExists(paths: LabPaths): AmbitError {
  return new AmbitError({
    code: "lab-exists",
    kind: "user",
    what: `there is a lab named '${paths.name}' already`,
    remedy: `choose another name (--name), or run 'ambit lab down --name ${paths.name}' first`,
  });
}

/** Removes the folders above the labs once they are empty. */
export function removeEmptyStateDirs(): void {
  for (const folder of [labsDir(), stateDir()]) {
    try {
      rmdirSync(folder);
    } catch {
      return;
    }
  }
}
