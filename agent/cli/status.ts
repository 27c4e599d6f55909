import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Option, type Command } from "commander";
import { nodeStateDir, type LabPaths } from "../lab/lab-paths.ts";
import { messageOf } from "../lib/errors.ts";
import { askAgent } from "./ask-agent.ts";
import { chooseLab } from "./choose-lab.ts";
import { outputOption, print, type OutputFormat } from "./output.ts";
import { statusText, type NodeStatus } from "./status-text.ts";

interface StatusFlags {
  readonly name?: string;
  readonly socket?: string;
  readonly output: OutputFormat;
}

export function registerStatus(program: Command): void {
  program
    .command("status")
    .summary("what the nodes' agents and proxies say of themselves")
    .description(
      "Shows nodes, agents and Envoys, which pods are in the mesh, what Envoy refused of its configuration, " +
        "and what of the manifests is not served as written. Exits 1 if a node is not ready.",
    )
    .option("--name <lab>", "the lab to ask about (default: the only one that runs)")
    .addOption(new Option("--socket <path>", "ask one agent, at its admin.sock").conflicts("name"))
    .addOption(outputOption())
    .addHelpText(
      "after",
      `
Examples:
  $ ambit status
  $ ambit status --name try -o json | jq '.nodes[].ready'
  $ ambit status --socket /var/lib/ambit/agent/admin.sock`,
    )
    .action(async ({ name, socket, output }: StatusFlags) => {
      const nodes = socket === undefined ? await labNodes(chooseLab(name)) : [await askAgent(socket)];
      print({ nodes }, output, (result) => statusText(result.nodes));
      if (nodes.length === 0 || nodes.some((node) => !node.ready)) process.exitCode = 1;
    });
}

/** One node's silence does not hide the others. */
function labNodes(lab: LabPaths): Promise<readonly NodeStatus[]> {
  const folder = join(lab.root, "nodes");
  const names = existsSync(folder) ? readdirSync(folder).toSorted() : [];
  return Promise.all(
    names.map((node) =>
      askAgent(join(nodeStateDir(lab, node), "admin.sock")).catch((error: unknown): NodeStatus => ({
        node,
        ready: false,
        error: messageOf(error),
      })),
    ),
  );
}
