import type { Command } from "commander";
import { findEnvoy } from "../envoy/find-envoy.ts";
import { productVersion } from "../lib/package.ts";
import { outputOption, print, table, type OutputFormat } from "../lib/terminal/output.ts";

interface Versions {
  readonly ambit: string;
  readonly node: string;
  /** null where no Envoy is on this machine yet; the first start of an agent fetches it. */
  readonly envoy: string | null;
}

export function registerVersion(program: Command): void {
  program
    .command("version")
    .summary("versions of Ambit, Node and Envoy")
    .description("Prints the versions of Ambit, of Node, and of the Envoy that an agent would start here.")
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
