import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { InvalidArgumentError, Option, type Command } from "commander";
import { keepMemoryOutOfCoreDumps } from "../lib/core-dumps.ts";
import { runAgent, type AgentOptions, type AgentPorts } from "../app.ts";
import { DEFAULT_POD_CONNECTIONS } from "../compile/listeners/connection-limits.ts";
import { DEFAULT_CALLER_TIMES } from "../model/caller-times.ts";
import { DEFAULT_SERIES_LIMITS, type SeriesLimits } from "../model/series-limits.ts";
import { openEnvoyProcess } from "../envoy/supervisor.ts";
import { AmbitError } from "../lib/errors.ts";
import { createLogger, type Logger } from "../lib/log.ts";
import { joinFileCredential } from "../identity/node/node-credential.ts";
import { connectAuthority } from "../node/authority-connection.ts";
import { DEFAULT_STRICT_GRACE_MS, type WhenCaptureIsLost } from "../node/pod-lifecycle.ts";
import { openDirectorySource } from "../sources/directory.ts";
import { seconds } from "../lib/terminal/output.ts";
import { collect, withMeshFlags, type MeshFlags } from "./mesh-flags.ts";
import { numberList, printedNumbers } from "./number-list.ts";

interface AgentCommandFlags extends MeshFlags {
  readonly node: string;
  readonly manifests: readonly string[];
  readonly stateDir: string;
  readonly podsCgroup: string;
  readonly proxyCgroup: string;
  readonly kubeletCgroup?: string;
  readonly clusterName: string;
  readonly accessLog?: string;
  readonly concurrency: number;
  readonly envoyPatience: number;
  readonly envoyHeap: number;
  readonly podConnections: number;
  readonly firstByteTime: number;
  readonly handshakeTime: number;
  readonly headerTime: number;
  readonly series: SeriesLimits;
  readonly strictGrace: number;
  readonly whenCaptureIsLost: WhenCaptureIsLost;
  readonly keysRefresh: number;
  readonly authority?: string;
  readonly joinTokenFile?: string;
  readonly metrics?: { readonly host: string; readonly port: number };
}

export function registerAgent(program: Command): void {
  withMeshFlags(program.command("agent"))
    .description(
      "Runs the agent of one node in the foreground. The agent starts or adopts the node's Envoy, and captures the " +
        "connections of enrolled pods.",
    )
    .requiredOption("--node <name>", "name of this node")
    .requiredOption("--manifests <folder>", "folder of manifests; later ones override earlier ones", collect)
    .requiredOption("--pods-cgroup <path>", "cgroup v2 directory that holds all pods of this node")
    .requiredOption("--proxy-cgroup <path>", "cgroup v2 directory for Envoy and no other process")
    .option("--kubelet-cgroup <path>", "cgroup v2 directory of the kubelet: its declared probes bypass the mesh")
    .option("--state-dir <folder>", "sockets, pins and logs", "/var/lib/ambit/agent")
    .option("--cluster-name <name>", "value of the labels source_cluster and destination_cluster", "Kubernetes")
    .option("--access-log <file>", "one JSON object per line; 'off' for none (default: access.log in --state-dir)")
    .addOption(
      new Option("--concurrency <threads>", "worker threads of Envoy")
        .env("AMBIT_CONCURRENCY")
        .argParser(count)
        .default(Math.min(2, availableParallelism())),
    )
    .addOption(
      new Option("--envoy-patience <seconds>", "replace an Envoy that has not answered for this long")
        .env("AMBIT_ENVOY_PATIENCE")
        .argParser(seconds)
        .default(10),
    )
    .addOption(
      new Option("--envoy-heap <MiB>", "near this much memory Envoy resets the streams that hold the most of it")
        .env("AMBIT_ENVOY_HEAP")
        .argParser(count)
        .default(
          Math.max(LEAST_HEAP_MIB, Math.floor(totalmem() / 2 ** 20 / 4)),
          "a quarter of the node's, 1024 at least",
        ),
    )
    .addOption(
      new Option("--pod-connections <number>", "connections that each listener of a pod takes at a time")
        .env("AMBIT_POD_CONNECTIONS")
        .argParser(count)
        .default(DEFAULT_POD_CONNECTIONS),
    )
    .addOption(
      new Option(
        "--first-byte-time <seconds>",
        "how long a caller without a certificate may say nothing to an HTTP port",
      )
        .env("AMBIT_FIRST_BYTE_TIME")
        .argParser(seconds)
        .default(DEFAULT_CALLER_TIMES.firstByteMs / 1_000),
    )
    .addOption(
      new Option("--handshake-time <seconds>", "how long a caller may take for the handshake of mTLS")
        .env("AMBIT_HANDSHAKE_TIME")
        .argParser(seconds)
        .default(DEFAULT_CALLER_TIMES.handshakeMs / 1_000),
    )
    .addOption(
      new Option("--header-time <seconds>", "how long a caller may take for the headers of a request")
        .env("AMBIT_HEADER_TIME")
        .argParser(seconds)
        .default(DEFAULT_CALLER_TIMES.headersMs / 1_000),
    )
    .addOption(
      new Option("--series <name=number,...>", "series of metrics that each of Envoy's workers makes: docs/security.md")
        .env("AMBIT_SERIES")
        .argParser(numberList<SeriesLimits>(DEFAULT_SERIES_LIMITS))
        .default(DEFAULT_SERIES_LIMITS, printedNumbers(DEFAULT_SERIES_LIMITS)),
    )
    .addOption(
      new Option(
        "--strict-grace <seconds>",
        "how long a STRICT pod takes plaintext at most, while it waits for its certificate or for other nodes",
      )
        .env("AMBIT_STRICT_GRACE")
        .argParser(seconds)
        .default(DEFAULT_STRICT_GRACE_MS / 1_000),
    )
    .addOption(
      new Option(
        "--when-capture-is-lost <what>",
        "what becomes of new connections to a pod that is STRICT or has policies, while nothing guards it",
      )
        .env("AMBIT_WHEN_CAPTURE_IS_LOST")
        .choices(["refuse", "open"])
        .default("refuse"),
    )
    .addOption(
      new Option("--keys-refresh <seconds>", "how often to fetch the key sets of RequestAuthentications again")
        .env("AMBIT_KEYS_REFRESH")
        .argParser(seconds)
        .default(1200),
    )
    .option("--authority <address>", "the authority of this node's mesh: unix:/PATH or HOST:PORT")
    .option("--join-token-file <file>", "the output of 'ambit authority token --node NAME' for this node")
    .option("--metrics <address:port>", "also serve /metrics and /readyz at this address", hostPort)
    .addHelpText(
      "after",
      `
SIGTERM or SIGINT ends the agent. Envoy and the kernel's programs keep running, and the next agent with the same --state-dir
adopts them. The agent's own interface is the unix socket admin.sock in that folder.

The authority signs the certificates of this node's pods, and carries what nodes tell each other. Without --authority pods have no
certificates: calls between nodes are plaintext, and STRICT pods refuse calls from other nodes.

Examples:
  $ ambit agent --node node-1 --manifests ./my-app --pods-cgroup /sys/fs/cgroup/pods --proxy-cgroup /sys/fs/cgroup/proxy
  $ ambit agent --node node-1 --manifests ./my-app --pods-cgroup /sys/fs/cgroup/pods --proxy-cgroup /sys/fs/cgroup/proxy \\
      --authority 10.0.0.5:15012 --join-token-file node-1.join`,
    )
    .action(async (flags: AgentCommandFlags) => {
      keepMemoryOutOfCoreDumps();
      const log = createLogger("agent");
      setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH}`);
      const agent = await runAgent(optionsOf(flags), portsOf(flags, log), log);
      await new Promise<void>((resolve) => {
        for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => resolve());
      });
      await agent.close();
      process.exit(0);
    });
}

const LEAST_HEAP_MIB = 1024;

function optionsOf(flags: AgentCommandFlags): AgentOptions {
  return {
    node: flags.node,
    stateDir: flags.stateDir,
    enrollmentLabel: flags.enrollmentLabel,
    trustDomain: flags.trustDomain,
    rootNamespace: flags.rootNamespace,
    limits: flags.limits,
    podsCgroup: flags.podsCgroup,
    proxyCgroup: flags.proxyCgroup,
    kubeletCgroup: flags.kubeletCgroup,
    cluster: flags.clusterName,
    accessLog: flags.accessLog === "off" ? undefined : (flags.accessLog ?? join(flags.stateDir, "access.log")),
    concurrency: flags.concurrency,
    patienceMs: flags.envoyPatience * 1_000,
    maxHeapBytes: flags.envoyHeap * 2 ** 20,
    podConnections: flags.podConnections,
    callerTimes: {
      firstByteMs: wholeMilliseconds(flags.firstByteTime),
      handshakeMs: wholeMilliseconds(flags.handshakeTime),
      headersMs: wholeMilliseconds(flags.headerTime),
    },
    series: flags.series,
    strictGraceMs: flags.strictGrace * 1_000,
    whenCaptureIsLost: flags.whenCaptureIsLost,
    keysRefreshMs: flags.keysRefresh * 1_000,
    metrics: flags.metrics,
  };
}

/**
 * How much garbage V8 may keep before it collects, in per cent of the live heap. V8's default is up to three times that, which
 * is much for a process on every node. Measured with 1,000 Services and 50 changes a second: 165 MB instead of 208 MB.
 */
const HEAP_GROWTH = 30;

/** On a plain host: objects from folders, Envoy as a process, an authority if there is one. */
function portsOf(flags: AgentCommandFlags, log: Logger): AgentPorts {
  const { node, manifests, stateDir, authority: address, joinTokenFile } = flags;
  if ((address === undefined) !== (joinTokenFile === undefined)) {
    throw new AmbitError({
      code: "authority-incomplete",
      kind: "user",
      what:
        address === undefined
          ? "--join-token-file is given without --authority"
          : "--authority is given without --join-token-file",
      remedy: "give both, or neither",
    });
  }
  return {
    openSource: () => openDirectorySource(manifests, { ...flags, heldVersions: join(stateDir, "held-versions.json") }),
    openProxy: openEnvoyProcess,
    openAuthority:
      address === undefined || joinTokenFile === undefined
        ? undefined
        : () => connectAuthority(address, joinFileCredential(joinTokenFile, node), stateDir, log),
  };
}

/** Envoy and the filters take no more than 32 bits. */
function wholeMilliseconds(time: number): number {
  return Math.min(Math.ceil(time * 1_000), 2 ** 32 - 1);
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
