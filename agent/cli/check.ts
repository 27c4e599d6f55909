import type { Command } from "commander";
import { openFilterCheck } from "../node/filter-check.ts";
import { checkMachine, type MachineCheck } from "../node/machine-check.ts";
import { needsAuthority } from "../policy/needs-authority.ts";
import { selectsNothing } from "../policy/selects-nothing.ts";
import { assumedIdentities } from "../compile/assumed-identities.ts";
import { compile } from "../compile/compile.ts";
import type { SandboxLookup } from "../model/sandbox.ts";
import { printProblem, type PrintedProblem } from "../model/problem.ts";
import { newSession } from "../compile/session.ts";
import { loadDeclared } from "../sources/load-declared.ts";
import { loadManifests } from "../sources/load-manifests.ts";
import { compareProblems } from "../objects/objects-to-mesh.ts";
import { problemTable } from "./problem-table.ts";
import { collect, withMeshFlags, type MeshFlags } from "./mesh-flags.ts";
import { outputOption, print, table, type OutputFormat } from "../lib/terminal/output.ts";

interface CheckFlags extends MeshFlags {
  readonly manifests?: readonly string[];
  readonly machine?: boolean;
  readonly output: OutputFormat;
}

interface ManifestCheck {
  readonly problems: readonly PrintedProblem[];
  /** What does not hold where agents have no authority. The manifests do not tell whether they have one. */
  readonly needsAuthority: readonly PrintedProblem[];
}

type CheckResult = Partial<ManifestCheck> & { readonly machine?: readonly MachineCheck[] };

export function registerCheck(program: Command): void {
  withMeshFlags(program.command("check"))
    .description("Names every problem of manifests and how to solve it, or what this machine lacks for Ambit.")
    .argument("[folders...]", "folders of manifests to check; later ones override earlier ones")
    .option("--manifests <folder>", "another way to name a folder, as for other commands", collect)
    .option("--machine", "check this machine (the default without folders)")
    .addOption(outputOption())
    .addHelpText(
      "after",
      `
Exits 1 if there is an error. Warnings alone leave the exit code at 0, and so do objects that need an authority: the
manifests do not say whether your agents have one.

Examples:
  $ ambit check ./my-app
  $ ambit check ./my-app -o json | jq '.problems[] | select(.severity == "error")'
  $ ambit check --machine -o json`,
    )
    .action(async (named: readonly string[], flags: CheckFlags) => {
      const folders = [...named, ...(flags.manifests ?? [])];
      const manifests = folders.length === 0 ? undefined : await checkManifests(folders, flags);
      const machine = folders.length === 0 || flags.machine === true ? await checkMachine() : undefined;
      const result: CheckResult = { ...manifests, ...(machine && { machine }) };
      print(result, flags.output, text);
      const isBroken = manifests?.problems.some(({ severity }) => severity === "error") === true;
      if (isBroken || machine?.some(({ ok }) => !ok) === true) process.exitCode = 1;
    });
}

/** Problems do not depend on network namespaces. */
const NO_SANDBOXES: SandboxLookup = { netnsOf: () => undefined };

/** Some problems show only when the mesh is compiled. They are the same for every node. */
async function checkManifests(folders: readonly string[], flags: CheckFlags): Promise<ManifestCheck> {
  const mesh = await loadManifests(folders, flags);
  const unused = selectsNothing(await loadDeclared(folders, flags), flags.rootNamespace);
  const { problems } = compile(
    mesh,
    {
      node: "",
      ...assumedIdentities(mesh, { node: "", trustDomain: flags.trustDomain, sandboxes: NO_SANDBOXES }),
      trustDomain: flags.trustDomain,
      rootNamespace: flags.rootNamespace,
      limits: flags.limits,
      cluster: "",
      filterModule: "",
      checkFilters: openFilterCheck(),
      accessLog: undefined,
    },
    newSession(0),
  );
  return {
    problems: [...problems, ...unused].sort(compareProblems).map(printProblem),
    needsAuthority: needsAuthority(mesh).toSorted(compareProblems).map(printProblem),
  };
}

function text({ problems, needsAuthority: dependent = [], machine }: CheckResult): string {
  const parts: string[] = [];
  if (machine !== undefined) {
    const rows = machine.map(({ name, ok, found, remedy }) => [ok ? "ok" : "PROBLEM", name, found, remedy]);
    parts.push(table([["", "what", "found", "what to do"], ...rows]));
  }
  if (problems !== undefined) parts.push(problemTable(problems), count(problems));
  if (dependent.length > 0) {
    parts.push(`If your agents run without --authority (a lab's agents have one):\n\n${problemTable(dependent)}`);
  }
  return parts.filter((part) => part !== "").join("\n\n");
}

function count(problems: readonly PrintedProblem[]): string {
  if (problems.length === 0) return "no problems";
  const errors = problems.filter(({ severity }) => severity === "error").length;
  return `${errors} error(s), ${problems.length - errors} warning(s)`;
}
