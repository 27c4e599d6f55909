import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Option, type Command } from "commander";
import { nodeStateDir, type LabPaths } from "../../deploy/lab/machine/lab-paths.ts";
import { describe } from "../lib/errors.ts";
import { chooseLab } from "../../deploy/lab/choose-lab.ts";

/** What `withAgentFlags` adds, as commander hands it over. */
export interface AgentFlags {
  readonly name?: string;
  readonly socket?: string;
}

/** The flags that say which agents are asked; every command that asks some has the same. */
export function withAgentFlags(command: Command): Command {
  return command
    .option("--name <lab>", "the lab to ask about (default: the only one that runs)")
    .addOption(new Option("--socket <path>", "ask one agent, at its admin.sock").conflicts("name"));
}

/** Names of a lab's nodes. */
export function nodesOf(lab: LabPaths): readonly string[] {
  const folder = join(lab.root, "nodes");
  return existsSync(folder) ? readdirSync(folder).toSorted() : [];
}

/** What kept an agent from answering: what, why and what to do, a line each. */
export interface SilentNode {
  readonly node: string;
  readonly error: string;
}

export function silentOf(answers: readonly (object | SilentNode)[]): readonly SilentNode[] {
  return answers.filter((answer) => "error" in answer);
}

/** "" where all have answered. */
export function silentText(silent: readonly SilentNode[]): string {
  return silent.map(({ node, error }) => `${node} does not say: ${error}`).join("\n");
}

/** Asks all agents that the flags name; in a lab one node's silence does not hide the others. */
export async function askAgents<T>(
  { name, socket }: AgentFlags,
  question: (socketPath: string) => Promise<T>,
): Promise<readonly (T | SilentNode)[]> {
  if (socket !== undefined) return [await question(socket)];
  const lab = chooseLab(name);
  return await Promise.all(
    nodesOf(lab).map((node) =>
      question(join(nodeStateDir(lab, node), "admin.sock")).catch((error: unknown) => ({
        node,
        error: describe(error),
      })),
    ),
  );
}
