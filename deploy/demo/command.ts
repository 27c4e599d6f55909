import type { Command } from "commander";
import { AmbitError } from "../../agent/lib/errors.ts";

interface DemoFlags {
  readonly once?: boolean;
  readonly json?: string;
  readonly name: string;
}

export function registerDemo(program: Command): void {
  program
    .command("demo")
    .description(
      "Runs a small shop on two nodes made of network namespaces. One of its services fails one call in " +
        "five; the shop joins the mesh while it runs, and its pages stop failing. Needs root. Takes " +
        "everything down when it ends.",
    )
    .option("--once", "run unattended, measure, and exit 0 only if everything was observed")
    .option("--json <file>", "with --once: also write the checks and their figures to this file")
    .option("--name <lab>", "name of the lab that it runs in", "demo")
    .addHelpText("after", "\nExamples:\n  $ ambit demo\n  $ ambit demo --once --json demo.json")
    .action(async (flags: DemoFlags) => {
      const { runDemo } = await import("./run.ts");
      const stop = new AbortController();
      // The demo then takes its lab down and ends. A second signal changes nothing.
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
        process.on(signal, () => stop.abort(interrupted(signal)));
      }
      const passed = await runDemo({
        name: flags.name,
        once: flags.once ?? false,
        json: flags.json,
        signal: stop.signal,
      });
      process.exitCode = passed ? 0 : 1;
    });
}

function interrupted(signal: string): AmbitError {
  return new AmbitError({
    code: "demo-interrupted",
    kind: "user",
    what: `the demo was interrupted by ${signal}`,
    why: "everything it had started was taken down",
  });
}
