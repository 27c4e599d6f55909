import { Command } from "commander";
import { expect, it } from "vitest";
import { COMMANDS } from "../../agent/cli/commands.ts";

interface Described {
  readonly path: string;
  readonly help: string;
}

/** A command and all its subcommands. Hidden ones are helper processes that no user calls. */
function* walk(command: Command, path: string): Generator<Described> {
  let help = "";
  command.configureOutput({ writeOut: (text) => (help += text) });
  command.outputHelp();
  yield { path, help };
  for (const child of command.createHelp().visibleCommands(command)) {
    if (child.name() !== "help") yield* walk(child, `${path} ${child.name()}`);
  }
}

async function commands(): Promise<readonly Described[]> {
  const program = new Command("ambit");
  for (const { register } of COMMANDS) await register(program);
  return program.commands.flatMap((command) => [...walk(command, `ambit ${command.name()}`)]);
}

const described = await commands();

it("walks the whole tree", () => {
  const paths = described.map(({ path }) => path);
  for (const { name } of COMMANDS) expect(paths).toContain(`ambit ${name}`);
  expect(paths).toContain("ambit lab up");
  expect(paths).not.toContain("ambit lab kubelet");
});

it.each(described)("'$path --help' has an example of that very command", ({ path, help }) => {
  const [, examples = ""] = help.split(/^Examples?:$/mu);
  expect(examples.split("\n").filter((line) => line.startsWith("  $ "))).toContainEqual(
    expect.stringMatching(new RegExp(`^ {2}\\$ ${path}( |$)`, "u")),
  );
});
