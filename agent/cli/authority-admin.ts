import { join } from "node:path";
import { Option, type Command } from "commander";
import type { AuthorityStatus } from "../identity/authority-status.ts";
import { ask } from "./ask.ts";
import { chooseLab } from "../../deploy/lab/choose-lab.ts";
import { outputOption, print, table, type OutputFormat } from "../lib/terminal/output.ts";

interface AdminFlags {
  readonly name?: string;
  readonly socket?: string;
  readonly output: OutputFormat;
}

/** Commands that talk to an authority that runs. */
export function addAuthorityAdmin(authority: Command): void {
  withFlags(authority.command("status"))
    .summary("which roots are trusted, which one signs, and which nodes have certificates")
    .addHelpText(
      "after",
      `
Exits 1 if files in its --ca-folder cannot be used.

Example:
  $ ambit authority status --socket /var/lib/ambit/authority/admin.sock`,
    )
    .action(async (flags: AdminFlags) => {
      const status = await ask<AuthorityStatus>("authority", socketOf(flags), "/status");
      print(status, flags.output, statusText);
      if (status.trouble !== undefined) process.exitCode = 1;
    });
  withFlags(authority.command("rotate-root"))
    .summary("make a new root and bring every node over to it, step by step, while all is served")
    .description(
      "Makes a new root. Nodes trust it beside the old one first; when all do, it signs, and nodes replace their " +
        "certificates; when none of the old ones can be in use any more, the old root goes. The authority does this by " +
        "itself: 'ambit authority status' shows how far it is, and for which nodes it waits.",
    )
    .addHelpText("after", "\nExample:\n  $ ambit authority rotate-root --name try")
    .action(async (flags: AdminFlags) => {
      const status = await ask<AuthorityStatus>("authority", socketOf(flags), "/rotate-root", "POST");
      print(status, flags.output, statusText);
    });
}

function withFlags(command: Command): Command {
  return command
    .option("--name <lab>", "the lab whose authority it is (default: the only one that runs)")
    .addOption(new Option("--socket <path>", "admin.sock in the authority's --state-dir").conflicts("name"))
    .addOption(outputOption());
}

function socketOf({ name, socket }: AdminFlags): string {
  return socket ?? join(chooseLab(name).authority, "admin.sock");
}

function statusText({ signing, roots, rotation, trouble, nodes }: AuthorityStatus): string {
  const rootRows = roots.map(({ generation, notAfter }) => [
    generation,
    generation === signing ? "yes" : "no",
    notAfter,
  ]);
  const nodeRows = nodes.map(({ node, lastHeard, validUntil, generations }) => [
    ...[node, lastHeard ?? "not yet", validUntil, generations.join(", ")],
  ]);
  const waiting = rotation?.waitingFor ?? [];
  return [
    table([["ROOT", "SIGNS", "UNTIL"], ...rootRows]),
    trouble === undefined ? "" : `It goes on with these roots: ${trouble}`,
    table([["NODE", "LAST HEARD OF", "CERTIFICATES UNTIL", "ROOTS OF ITS CERTIFICATES"], ...nodeRows]),
    rotation === undefined || rotation.stage === "steady" ? "" : `The root is being changed: ${rotation.stage}`,
    waiting.length === 0 ? "" : `It waits for:\n${waiting.map((line) => `  ${line}`).join("\n")}`,
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}
