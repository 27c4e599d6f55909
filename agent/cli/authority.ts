import { join } from "node:path";
import { InvalidArgumentError, type Command } from "commander";
import { keepMemoryOutOfCoreDumps } from "../lib/core-dumps.ts";
import { runAuthority } from "../authority-app.ts";
import { parseAuthorityAddress } from "../identity/authority-address.ts";
import { makeJoinFile } from "../identity/authority/join-tokens.ts";
import type { Source } from "../model/source.ts";
import { isDnsSubdomain } from "../objects/valid-names.ts";
import { addAuthorityAdmin } from "./authority-admin.ts";
import { createLogger } from "../lib/log.ts";
import { collect, withMeshFlags, type MeshFlags } from "./mesh-flags.ts";
import { openDirectorySource } from "../sources/directory.ts";
import { seconds } from "../lib/terminal/output.ts";

interface RunFlags extends MeshFlags {
  readonly manifests: readonly string[];
  readonly stateDir: string;
  readonly listen?: string;
  readonly certificateLifetime: number;
  readonly caFolder?: string;
}

const STATE_DIR = "/var/lib/ambit/authority";
const DAY_S = 24 * 60 * 60;

export function registerAuthority(program: Command): void {
  const authority = program
    .command("authority")
    .description(
      "The authority signs certificates for pods' identities, and gives them only to the node that runs the pods. It also " +
        "tells each node which pods of other nodes take mTLS. While it is away, agents go on with what they have.",
    )
    .addHelpText(
      "after",
      `
Examples:
  $ ambit authority run --manifests ./my-app --listen 10.0.0.5:15012
  $ ambit authority token --node node-1 > node-1.join
  $ ambit authority status`,
    );
  addRun(authority);
  addToken(authority);
  addAuthorityAdmin(authority);
}

function addRun(authority: Command): void {
  withMeshFlags(authority.command("run"))
    .summary("run the authority in the foreground")
    .requiredOption("--manifests <folder>", "folder of manifests, the same as the agents'", collect)
    .option(
      "--state-dir <folder>",
      "the authority's keys and the hashes of its join tokens: keep a copy of it",
      STATE_DIR,
    )
    .option("--listen <address>", "unix:/path or HOST:PORT (default: agents.sock in --state-dir)")
    .option(
      "--certificate-lifetime <seconds>",
      "lifetime of pods' certificates; agents renew them at half of it",
      seconds,
      DAY_S,
    )
    .option(
      "--ca-folder <folder>",
      "sign with ca-cert.pem, ca-key.pem, cert-chain.pem and root-cert.pem of this folder",
    )
    .addHelpText(
      "after",
      `
Without --ca-folder the authority makes a root of its own in --state-dir, once. The files in --ca-folder may be replaced
while it runs.

Examples:
  $ ambit authority run --manifests ./my-app --listen 10.0.0.5:15012
  $ ambit authority run --manifests ./my-app --ca-folder /etc/cacerts`,
    )
    .action(async ({ listen, certificateLifetime, caFolder, ...flags }: RunFlags) => {
      keepMemoryOutOfCoreDumps();
      const address = parseAuthorityAddress(listen ?? `unix:${join(flags.stateDir, "agents.sock")}`);
      const options = { ...flags, listen: address, lifetimeMs: certificateLifetime * 1_000, caFolder };
      const heldVersions = join(flags.stateDir, "held-versions.json");
      const openSource = (): Promise<Source> => openDirectorySource(flags.manifests, { ...flags, heldVersions });
      const running = await runAuthority(options, { openSource }, createLogger("authority"));
      await new Promise<void>((resolve) => {
        for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => resolve());
      });
      running.close();
      process.exit(0);
    });
}

function addToken(authority: Command): void {
  authority
    .command("token")
    .summary("make a new join token for a node; an earlier token becomes invalid")
    .description(
      "Prints the join token for the agent's --join-token-file. Keep it secret: it proves which node an agent belongs to.",
    )
    .requiredOption("--node <name>", "name of the node", nodeName)
    .option("--state-dir <folder>", "the authority's own --state-dir", STATE_DIR)
    .addHelpText(
      "after",
      `
Example:
  $ ambit authority token --node node-1 > node-1.join`,
    )
    .action(async ({ node, stateDir }: { readonly node: string; readonly stateDir: string }) => {
      process.stdout.write(`${JSON.stringify(await makeJoinFile(stateDir, node), undefined, 1)}\n`);
    });
}

function nodeName(text: string): string {
  if (!isDnsSubdomain(text))
    throw new InvalidArgumentError("Give the name of a Kubernetes Node: lower-case letters, digits, - and dots.");
  return text;
}
