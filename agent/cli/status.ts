import type { Command } from "commander";
import type { AgentStatus } from "../node/agent-status.ts";
import { askAgents, withAgentFlags, type AgentFlags } from "./agent-sockets.ts";
import { ask } from "./ask.ts";
import { outputOption, print, type OutputFormat } from "../lib/terminal/output.ts";
import { statusText, type NodeAnswer } from "./status-text.ts";

interface StatusFlags extends AgentFlags {
  readonly output: OutputFormat;
}

export function registerStatus(program: Command): void {
  withAgentFlags(program.command("status"))
    .description(
      "Shows the nodes with their agents and Envoys, the pods in the mesh, the resources that Envoy refused, and the " +
        "problems of the manifests. Exits 1 if a node is not ready.",
    )
    .addOption(outputOption())
    .addHelpText(
      "after",
      `
Examples:
  $ ambit status
  $ ambit status --name try -o json | jq '.nodes[].ready'
  $ ambit status --socket /var/lib/ambit/agent/admin.sock`,
    )
    .action(async ({ output, ...flags }: StatusFlags) => {
      const answers = await askAgents(flags, (socket) => ask<AgentStatus>("agent", socket, "/status"));
      const nodes = answers.map((one): NodeAnswer => ("error" in one ? { ...one, ready: false } : one));
      print({ nodes }, output, (result) => statusText(result.nodes));
      if (nodes.length === 0 || nodes.some((node) => !node.ready)) process.exitCode = 1;
    });
}
