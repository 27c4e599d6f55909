import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Option, type Command } from "commander";
import { nodeStateDir, type LabPaths } from "../../deploy/lab/machine/lab-paths.ts";
import { describe } from "../lib/errors.ts";
import { chooseLab } from "../../deploy/lab/choose-lab.ts";

/** The flags that `withAgentFlags` adds, as commander parses them. */
export interface AgentFlags {
  readonly name?: string;
  readonly socket?: string;
}

/** Adds the flags that choose the agents to ask. Every command that asks agents has the same flags. */
export function withAgentFlags(command: Command): Command {
  return command
    .option("--name <lab>", "ask the agents of this lab (default: the only lab that runs)")
    .addOption(new Option("--socket <path>", "ask one agent, by its admin.sock").conflicts("name"));
}

/** Names of a lab's nodes. */
export function nodesOf(lab: LabPaths): readonly string[] {
  const folder = join(lab.root, "nodes");
  return existsSync(folder) ? readdirSync(folder).toSorted() : [];
}

/** The reason why an agent did not answer: what, why and what to do, a line each. */
export interface SilentNode {
  readonly node: string;
  readonly error: string;
}

export function silentOf(answers: readonly (object | SilentNode)[]): readonly SilentNode[] {
  return answers.filter((answer) => "error" in answer);
}

/** "" if all agents have answered. */
export function silentText(silent: readonly SilentNode[]): string {
  return silent.map(({ node, error }) => `${node} does not answer: ${error}`).join("\n");
}

/** Asks all agents that the flags choose. In a lab, one silent agent does not hide the answers of the others. */
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
