import { closeSync, copyFileSync, readdirSync, statSync, truncateSync, writeSync } from "node:fs";
import { join } from "node:path";
import { AmbitError, describe } from "../../agent/lib/errors.ts";
import { claimState } from "./claim.ts";
import { readDesired } from "./cluster/desired.ts";
import { ManifestWatch } from "./cluster/manifest-watch.ts";
import type { ControlFailure } from "./control/control-protocol.ts";
import { failureOf, serveControl } from "./control/control-server.ts";
import { Lab } from "./lab.ts";
import { labPaths, requireShortSocketPaths } from "./machine/lab-paths.ts";
import { MAX_NODES } from "./network/address-plan.ts";
import { removeLab } from "./teardown.ts";

export interface SupervisorOptions {
  readonly name: string;
  readonly manifests: string;
  /** How many nodes to make where the manifests name none. */
  readonly nodes: number;
  readonly agents: boolean;
  /** Folder that becomes the lab's state folder. */
  readonly draft: string;
}

/** A supervisor writes this once, on file descriptor `STARTUP_FD`. */
export type StartupReport = { readonly listening: true } | { readonly failure: ControlFailure };

export const STARTUP_FD = 3;

/** Runs a lab until somebody takes it down. Then this process ends, also after a failure. */
export async function superviseLab(options: SupervisorOptions): Promise<void> {
  const paths = labPaths(options.name);
  let claimed = false;
  let lab: Lab | undefined;
  let leaving: Promise<void> | undefined;
  const down = (): Promise<void> => {
    leaving ??= (async () => {
      await lab?.stop().catch((error: unknown) => log(describe(error)));
      if (claimed) await removeLab(paths);
      // Later, so that the answer to the request for this gets out.
      setTimeout(() => process.exit(0), 100);
    })();
    return leaving;
  };
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => void down());
  process.on("uncaughtException", (error) => {
    log(error.stack ?? error.message);
    void down();
  });
  try {
    const watch = await ManifestWatch.open(options.manifests);
    const nodeNames = chooseNodeNames(readDesired(watch.objects).nodes, options.nodes);
    for (const node of nodeNames) requireShortSocketPaths(paths, node);
    claimState(options.draft, paths, options.manifests);
    claimed = true;
    limitLogs(paths.root);
    lab = new Lab({ paths, manifests: options.manifests, nodeNames, agents: options.agents }, watch);
    await serveControl(paths.socket, lab, down);
    await lab.start();
    report({ listening: true });
  } catch (error) {
    if (leaving === undefined) report({ failure: failureOf(error) });
    log(describe(error));
    await down();
  }
}

function chooseNodeNames(written: readonly string[], count: number): readonly string[] {
  const names = written.length > 0 ? written : Array.from({ length: count }, (_, index) => `node-${index + 1}`);
  if (names.length <= MAX_NODES) return names;
  throw new AmbitError({
    code: "too-many-nodes",
    kind: "user",
    what: `a lab has at most ${MAX_NODES} nodes, not ${names.length}`,
    remedy: "use fewer nodes",
  });
}

function report(message: StartupReport): void {
  try {
    writeSync(STARTUP_FD, `${JSON.stringify(message)}\n`);
    closeSync(STARTUP_FD);
  } catch {
    // The process that started this one is gone.
  }
}

function log(text: string): void {
  process.stderr.write(`${new Date().toISOString()} ${text}\n`);
}

const MAX_BYTES = 64 << 20;
const INTERVAL_MS = 10_000;
/** Folders of a node without logs; one of them is a mounted bpffs. */
const OTHERS = new Set(["bpf", "cluster", "netns", "etc", "filters"]);

/**
 * Keeps the logs of a lab from filling the disk: a `*.log` above the limit becomes `*.log.1`, and the file is emptied. Its
 * writer appends (O_APPEND), and so goes on at the beginning of the empty file.
 */
function limitLogs(folder: string): void {
  setInterval(() => {
    for (const file of logsBelow(folder)) limit(file);
  }, INTERVAL_MS).unref();
}

function limit(file: string): void {
  try {
    if (statSync(file).size < MAX_BYTES) return;
    copyFileSync(file, `${file}.1`);
    truncateSync(file, 0);
  } catch {
    // Its pod is gone by now.
  }
}

function logsBelow(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return OTHERS.has(entry.name) ? [] : logsBelow(path);
      return entry.isFile() && entry.name.endsWith(".log") ? [path] : [];
    });
  } catch {
    return [];
  }
}
