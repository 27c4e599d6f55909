import { existsSync, readdirSync } from "node:fs";
import { AmbitError } from "../../agent/lib/errors.ts";
import { isSupervised } from "./claim.ts";
import { labPaths, labsDir, type LabPaths } from "./machine/lab-paths.ts";

/** The running lab with this name; without a name, the only lab that runs. Throws AmbitError `no-such-lab` or `which-lab`. */
export function chooseLab(name: string | undefined): LabPaths {
  const known = runningLabs();
  if (name !== undefined) {
    const paths = labPaths(name);
    if (known.includes(name)) return paths;
    throw noSuchLab(`there is no lab '${name}'`, known);
  }
  const [only, ...others] = known;
  if (only === undefined) throw noSuchLab("no lab runs on this machine", known);
  if (others.length === 0) return labPaths(only);
  throw new AmbitError({
    code: "which-lab",
    kind: "user",
    what: `${known.length} labs run on this machine`,
    remedy: `name one: ${known.map((lab) => `--name ${lab}`).join(", ")}`,
  });
}

function runningLabs(): readonly string[] {
  if (!existsSync(labsDir())) return [];
  const names = readdirSync(labsDir()).filter((name) => !name.startsWith("."));
  return names.filter((name) => isSupervised(labPaths(name))).toSorted();
}

function noSuchLab(what: string, known: readonly string[]): AmbitError {
  const start = "start one with 'ambit lab up --name NAME --manifests DIR'";
  const remedy = known.length === 0 ? start : `name one that runs, or ${start}`;
  const why = known.length === 0 ? undefined : `these run: ${known.join(", ")}`;
  return new AmbitError({ code: "no-such-lab", kind: "user", what, why, remedy });
}
