import { join } from "node:path";
import { Option, type Command } from "commander";
import type { AuthorityStatus } from "../identity/authority/authority-status.ts";
import { ask } from "./ask.ts";
import { chooseLab } from "../../deploy/lab/choose-lab.ts";
import { outputOption, print, table, type OutputFormat } from "../lib/terminal/output.ts";

interface AdminFlags {
  readonly name?: string;
  readonly socket?: string;
  readonly output: OutputFormat;
}

/** Commands that talk to a running authority. */
export function addAuthorityAdmin(authority: Command): void {
  withFlags(authority.command("status"))
    .summary("show which roots are trusted, which root signs, and which nodes have certificates")
    .addHelpText(
      "after",
      `
Exits 1 if the authority cannot use the files in its --ca-folder.

Examples:
  $ ambit authority status --name try
  $ ambit authority status --socket /var/lib/ambit/authority/admin.sock`,
    )
    .action(async (flags: AdminFlags) => {
      const status = await ask<AuthorityStatus>("authority", socketOf(flags), "/status");
      print(status, flags.output, statusText);
      if (status.trouble !== undefined) process.exitCode = 1;
    });
  withFlags(authority.command("rotate-root"))
    .summary("replace the root, step by step, without interrupting traffic")
    .description(
      "Makes a new root. First all nodes trust both roots. Then the new root signs, and nodes replace their " +
        "certificates. When no certificate of the old root can be in use any more, the authority removes the old root. " +
        "It does all this by itself; 'ambit authority status' shows the current step and the nodes it waits for.",
    )
    .addHelpText("after", "\nExample:\n  $ ambit authority rotate-root --name try")
    .action(async (flags: AdminFlags) => {
      const status = await ask<AuthorityStatus>("authority", socketOf(flags), "/rotate-root", "POST");
      print(status, flags.output, statusText);
    });
}

function withFlags(command: Command): Command {
  return command
    .option("--name <lab>", "ask the authority of this lab (default: the only lab that runs)")
    .addOption(new Option("--socket <path>", "admin.sock in the authority's --state-dir").conflicts("name"))
    .addOption(outputOption());
}

function socketOf({ name, socket }: AdminFlags): string {
  return socket ?? join(chooseLab(name).authority, "admin.sock");
}

function statusText({ signing, roots, rotation, trouble, exchange, nodes }: AuthorityStatus): string {
  const rootRows = roots.map(({ generation, notAfter }) => [
    generation,
    generation === signing ? "yes" : "no",
    notAfter,
  ]);
  const nodeRows = nodes.map(
    ({ node, lastHeard, validUntil, generations, exchange: { reported, sandboxes, follows } }) => [
      ...[node, lastHeard ?? "not yet", validUntil ?? "none", generations.join(", ")],
      ...[reported ? String(sandboxes) : "not reported yet", `${follows} of ${exchange.revision}`],
    ],
  );
  const waiting = rotation?.waitingFor ?? [];
  const refused = nodes.filter((each) => each.exchange.refused.length > 0);
  return [
    table([["ROOT", "SIGNS", "UNTIL"], ...rootRows]),
    trouble === undefined ? "" : `The authority keeps using these roots: ${trouble}`,
    table([
      ["NODE", "LAST REQUEST", "CERTIFICATES UNTIL", "ROOTS OF ITS CERTIFICATES", "PODS WITH MTLS", "FOLLOWS"],
      ...nodeRows,
    ]),
    rotation === undefined || rotation.stage === "steady" ? "" : `The root is being replaced: ${rotation.stage}`,
    refused.length === 0
      ? ""
      : `Nodes announce pods of other nodes, which is refused:\n${refused.map((each) => `  ${each.node}: ${each.exchange.refused.join(", ")}`).join("\n")}`,
    waiting.length === 0 ? "" : `The authority waits for:\n${waiting.map((line) => `  ${line}`).join("\n")}`,
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}
