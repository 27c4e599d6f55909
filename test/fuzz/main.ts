import { Command, InvalidArgumentError } from "commander";
import { messageOf } from "../../agent/lib/errors.ts";
import type { FuzzResult, Size, Suite } from "./suite.ts";
import { SUITES } from "./suites.ts";

interface Flags {
  readonly seed: number;
  readonly count?: number;
  readonly minutes?: number;
  readonly quick?: boolean;
}

/** Runs the suites that the command line names; the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  let code = 0;
  const program = new Command("npm run fuzz --")
    .description("Attacks Ambit with random input. Exit code 1 where a suite found something.")
    .argument("[suite...]", "which suites (default: all)")
    .option("--count <n>", "random inputs of each suite that counts them", positive)
    .option("--minutes <m>", "length of each suite that runs for a time", positive)
    .option("--seed <s>", "other input than the usual; the same seed gives the same input", whole, 1)
    .option("--quick", "a small part of each suite")
    .addHelpText("after", `\nSuites:\n${SUITES.map(helpLine).join("\n")}\n`)
    .exitOverride()
    .action(async (names: readonly string[], flags: Flags) => {
      code = await runSuites(names, flags);
    });
  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (error instanceof Error && "exitCode" in error) return Number(error.exitCode);
    throw error;
  }
  return code;
}

async function runSuites(names: readonly string[], flags: Flags): Promise<number> {
  const unknown = names.filter((name) => !SUITES.some((suite) => suite.name === name));
  if (unknown.length > 0) {
    process.stderr.write(`there is no suite ${unknown.join(", ")}; see npm run fuzz -- --help\n`);
    return 2;
  }
  let failed = false;
  for (const suite of SUITES.filter(({ name }) => names.length === 0 || names.includes(name))) {
    const began = performance.now();
    const { figures, failures } = await runSuite(suite, flags);
    const seconds = ((performance.now() - began) / 1_000).toFixed(1);
    const told = Object.entries(figures).map(([what, figure]) => `${what} ${figure}`);
    process.stdout.write(
      `${failures.length === 0 ? "ok    " : "FAILED"} ${suite.name}: ${told.join(", ")} (${seconds} s)\n`,
    );
    for (const failure of failures) process.stdout.write(`${failure.replaceAll(/^/gmu, "         ")}\n`);
    failed ||= failures.length > 0;
  }
  return failed ? 1 : 0;
}

async function runSuite(suite: Suite, { seed, count, minutes, quick }: Flags): Promise<FuzzResult> {
  const size = quick === true ? suite.quick : suite.size;
  const progress = (text: string): void => {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${text === "" ? "" : `${suite.name}: ${text}`}`);
  };
  try {
    return await suite.run({
      seed,
      count: "count" in size ? (count ?? size.count) : 0,
      minutes: "minutes" in size ? (minutes ?? size.minutes) : 0,
      progress,
    });
  } catch (error) {
    return { figures: {}, failures: [error instanceof Error ? (error.stack ?? error.message) : messageOf(error)] };
  } finally {
    progress("");
  }
}

function helpLine({ name, summary, size }: Suite): string {
  return `  ${name.padEnd(18)}${summary} (${sizeText(size)})`;
}

function sizeText(size: Size): string {
  return "count" in size ? size.count.toLocaleString("en") : `${size.minutes} minutes`;
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("It must be a positive number.");
  return value;
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError("It must be a whole number.");
  return value;
}
