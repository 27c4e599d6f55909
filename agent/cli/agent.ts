import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { InvalidArgumentError, Option, type Command } from "commander";
import { runAgent, type AgentOptions } from "../app.ts";
import { CLOSE_AFTER_MS } from "../node/certificate-wait.ts";
import { AmbitError } from "../lib/errors.ts";
import { createLogger } from "../lib/log.ts";
import { seconds } from "../lib/terminal/output.ts";
import { collect, withMeshFlags, type MeshFlags } from "./mesh-flags.ts";

interface AgentFlags extends MeshFlags {
  readonly node: string;
  readonly manifests: readonly string[];
  readonly stateDir: string;
  readonly podsCgroup: string;
  readonly proxyCgroup: string;
  readonly kubeletCgroup?: string;
  readonly reportsDir?: string;
  readonly clusterName: string;
  readonly accessLog: string;
  readonly concurrency: number;
  readonly envoyPatience: number;
  readonly strictGrace: number;
  readonly keysRefresh: number;
  readonly authority?: string;
  readonly joinTokenFile?: string;
  readonly metrics?: { readonly host: string; readonly port: number };
}

export function registerAgent(program: Command): void {
  withMeshFlags(program.command("agent"))
    .summary("run one node's agent in the foreground")
    .description(
      "Runs one node's agent in the foreground: it starts or adopts the node's Envoy and captures enrolled pods.",
    )
    .requiredOption("--node <name>", "name of this node")
    .requiredOption("--manifests <folder>", "folder of manifests; later ones override earlier ones", collect)
    .requiredOption("--pods-cgroup <path>", "cgroup v2 directory above all pods of this node")
    .requiredOption("--proxy-cgroup <path>", "cgroup v2 directory for Envoy, and for nothing else")
    .option("--kubelet-cgroup <path>", "cgroup v2 directory of the kubelet: its declared probes pass the mesh")
    .option("--reports-dir <folder>", "shared by the agents of all nodes: which pods each of them has captured")
    .option("--state-dir <folder>", "sockets, pins and logs", "/var/lib/ambit/agent")
    .option(
      "--cluster-name <name>",
      "value of the metrics' labels source_cluster and destination_cluster",
      "Kubernetes",
    )
    .option("--access-log <file>", "one JSON object a line (default: access.log in --state-dir; off: none)", "")
    .addOption(
      new Option("--concurrency <threads>", "worker threads of Envoy")
        .env("AMBIT_CONCURRENCY")
        .argParser(count)
        .default(Math.min(2, availableParallelism())),
    )
    .addOption(
      new Option("--envoy-patience <seconds>", "an Envoy that does not answer for so long is replaced")
        .env("AMBIT_ENVOY_PATIENCE")
        .argParser(seconds)
        .default(10),
    )
    .addOption(
      new Option(
        "--strict-grace <seconds>",
        "a STRICT pod that waits for its certificate for so long refuses plaintext",
      )
        .env("AMBIT_STRICT_GRACE")
        .argParser(seconds)
        .default(CLOSE_AFTER_MS / 1_000),
    )
    .addOption(
      new Option("--keys-refresh <seconds>", "key sets that RequestAuthentications name are fetched again so often")
        .env("AMBIT_KEYS_REFRESH")
        .argParser(seconds)
        .default(1200),
    )
    .option("--authority <address>", "who signs this node's certificates: unix:/path/of/its/socket or HOST:PORT")
    .option("--join-token-file <file>", "what 'ambit authority token --node NAME' printed for this node")
    .option("--metrics <address:port>", "serve /metrics and /readyz there, too", hostPort)
    .addHelpText(
      "after",
      `
It ends at SIGTERM or SIGINT. Envoy and the kernel's programs go on without it, and the next agent with the same
--state-dir adopts them. Its own interface is the unix socket admin.sock in that folder.

Example:
  $ ambit agent --node node-1 --manifests ./my-app --pods-cgroup /sys/fs/cgroup/pods --proxy-cgroup /sys/fs/cgroup/proxy`,
    )
    .action(async (flags: AgentFlags) => {
      const log = createLogger("agent");
      const {
        kubeletCgroup,
        reportsDir,
        metrics,
        clusterName: cluster,
        envoyPatience,
        strictGrace,
        keysRefresh,
      } = flags;
      const accessLog = flags.accessLog === "off" ? undefined : flags.accessLog || join(flags.stateDir, "access.log");
      setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH}`);
      const patienceMs = envoyPatience * 1_000;
      const strictGraceMs = strictGrace * 1_000;
      const keysRefreshMs = keysRefresh * 1_000;
      const authority = authorityOf(flags);
      const agent = await runAgent(
        {
          ...{ ...flags, kubeletCgroup, accessLog, metrics, cluster, authority, reportsDir },
          ...{ patienceMs, strictGraceMs, keysRefreshMs },
        },
        log,
      );
      await new Promise<void>((resolve) => {
        for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => resolve());
      });
      await agent.close();
      process.exit(0);
    });
}

/**
 * How much garbage V8 lets gather before it collects, in per cent of what lives. By default it is up to three times that:
 * much for a process that stands on every node. Measured with 1,000 Services and 50 changes a second: 165 in place of 208 MB.
 */
const HEAP_GROWTH = 30;

function authorityOf({ authority: address, joinTokenFile }: AgentFlags): AgentOptions["authority"] {
  if (address !== undefined && joinTokenFile !== undefined) return { address, joinTokenFile };
  if (address === undefined && joinTokenFile === undefined) return undefined;
  throw new AmbitError({
    code: "authority-incomplete",
    kind: "user",
    what: `there is ${address === undefined ? "a join token and no authority" : "an authority and no join token"}`,
    remedy: "give --authority and --join-token-file, or neither",
  });
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("Give a whole number above 0.");
  return value;
}

function hostPort(text: string): { readonly host: string; readonly port: number } {
  const at = text.lastIndexOf(":");
  const port = Number(text.slice(at + 1));
  if (at < 1 || !Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new InvalidArgumentError("Give it as ADDRESS:PORT.");
  }
  return { host: text.slice(0, at).replace(/^\[|\]$/gu, ""), port };
}
