import { readdirSync } from "node:fs";
import type { Command } from "commander";
import { outputOption, print, table, type OutputFormat } from "../../../agent/lib/terminal/output.ts";
import { isSupervised, readSupervisor } from "../claim.ts";
import { labPaths, labsDir } from "../machine/lab-paths.ts";

interface ListedLab {
  readonly name: string;
  readonly running: boolean;
  readonly pid: number | null;
  readonly manifests: string;
}

export function addLabList(lab: Command): void {
  lab
    .command("list")
    .summary("the labs on this machine")
    .description("Lists the labs on this machine, and the remains of labs whose supervisor was killed.")
    .addOption(outputOption())
    .addHelpText("after", "\nExamples:\n  $ ambit lab list\n  $ ambit lab list -o json | jq -r '.labs[].name'")
    .action(({ output }: { output: OutputFormat }) => {
      print({ labs: listLabs() }, output, ({ labs }) => {
        const rows = labs.map(({ name, running, pid, manifests }) => [
          ...[name, running ? "running" : "left over", String(pid ?? "-"), manifests],
        ]);
        return table([["NAME", "STATE", "PID", "MANIFESTS"], ...rows]);
      });
    });
}

function listLabs(): readonly ListedLab[] {
  let names: readonly string[] = [];
  try {
    names = readdirSync(labsDir()).filter((name) => !name.startsWith("."));
  } catch {
    // No lab has been started yet, or the last one is gone.
  }
  return names.flatMap((name) => {
    const record = readSupervisor(labPaths(name));
    if (record === undefined) return [];
    const running = isSupervised(labPaths(name));
    return [{ name, running, pid: running ? record.pid : null, manifests: record.manifests }];
  });
}
