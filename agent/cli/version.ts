import type { Command } from "commander";
import { findEnvoy } from "../envoy/find-envoy.ts";
import { productVersion } from "../lib/package.ts";
import { outputOption, print, table, type OutputFormat } from "../lib/terminal/output.ts";

interface Versions {
  readonly ambit: string;
  readonly node: string;
  /** null if this machine has no Envoy yet; the first start of an agent fetches it. */
  readonly envoy: string | null;
}

export function registerVersion(program: Command): void {
  program
    .command("version")
    .description("Prints the versions of Ambit, of Node, and of the Envoy that an agent would start on this machine.")
    .addOption(outputOption())
    .addHelpText("after", "\nExamples:\n  $ ambit version\n  $ ambit version -o json")
    .action(async (options: { output: OutputFormat }) => {
      const versions: Versions = {
        ambit: productVersion(),
        node: process.versions.node,
        envoy: (await findEnvoy())?.version ?? null,
      };
      print(versions, options.output, ({ ambit, node, envoy }) =>
        table([
          ["ambit", ambit],
          ["node", node],
          ["envoy", envoy ?? "none yet (fetched when an agent first starts)"],
        ]),
      );
    });
}
