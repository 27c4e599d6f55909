import { Command, CommanderError } from "commander";
import { describe } from "../lib/errors.ts";
import { COMMANDS, type CommandEntry } from "./commands.ts";

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;

const OVERVIEW = `
Examples:
  $ ambit demo                                     watch it work on this machine
  $ ambit check ./my-app                           find problems in manifests
  $ ambit lab up --name try --manifests ./my-app   run them here, on two nodes
  $ ambit enroll --name try my-namespace           join the mesh; nothing restarts
  $ ambit status --name try

'ambit COMMAND --help' explains each command.`;

/**
 * Runs one command line (without `node` and the script). Returns the exit code: 0; 1 if the command failed; 2 if the command
 * line is wrong; or the code that the command itself set. Failures are printed, never thrown.
 */
export async function runCli(args: readonly string[]): Promise<number> {
  endWithReader(process.stdout);
  try {
    const program = await createProgram(wantedCommand(args));
    await program.parseAsync(args, { from: "user" });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    // Commander has printed its own message already. Help is an "error" with exit code 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    process.stderr.write(`ambit: ${describe(error)}\n`);
    return EXIT_FAILURE;
  }
}

/** `ambit … | head`: a closed reader ends the command, and is no failure. */
function endWithReader(stream: NodeJS.WriteStream): void {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(0);
  });
}

/** The command that a command line names, also as `help COMMAND`. */
function wantedCommand(args: readonly string[]): CommandEntry | undefined {
  const name = args[0] === "help" ? args[1] : args[0];
  return COMMANDS.find((entry) => entry.name === name);
}

async function createProgram(wanted: CommandEntry | undefined): Promise<Command> {
  const program = new Command("ambit")
    .description("Ambit, a service mesh without sidecars: one agent and one Envoy for each node.")
    .configureHelp({ showGlobalOptions: false })
    .addHelpText("after", OVERVIEW)
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError("Run with --help for usage.");
  for (const entry of COMMANDS) {
    if (entry === wanted) await entry.register(program);
    else program.command(entry.name).summary(entry.summary);
  }
  overrideExits(program);
  return program;
}

/** Subcommands that were made with `addCommand` do not inherit it. */
function overrideExits(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) overrideExits(child);
}
