import { open, type FileHandle } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { AmbitError, errnoOf } from "../../../agent/lib/errors.ts";
import { labStatus } from "../control/client.ts";
import type { LabPodStatus } from "../control/status-protocol.ts";
import { labNameOption, podReference } from "./lab-options.ts";

interface LogsOptions {
  readonly name: string;
  readonly container?: string;
  readonly follow?: boolean;
}

export function addLabLogs(lab: Command): void {
  lab
    .command("logs")
    .summary("the output of a pod's container")
    .description("Prints a container's standard output and error, from all its restarts.")
    .argument("<namespace/pod>", "the pod")
    .addOption(labNameOption())
    .option("-c, --container <container>", "the container (default: the pod's first)")
    .option("-f, --follow", "keep printing new output, until Ctrl-C or the lab's end")
    .addHelpText(
      "after",
      "\nExamples:\n  $ ambit lab logs --name try shop/storefront\n  $ ambit lab logs --name try shop/storefront -c app --follow",
    )
    .action(async (reference: string, options: LogsOptions) => {
      const { namespace, pod: name } = podReference(reference);
      const { pods } = await labStatus(options.name);
      const pod = pods.find((each) => each.namespace === namespace && each.name === name);
      if (pod === undefined) throw notFound(`the lab has no pod ${namespace}/${name}`, "see 'ambit lab status'");
      await printLog(logOf(pod, options.container), options.follow ?? false);
    });
}

function logOf({ namespace, name, containers, reason }: LabPodStatus, wanted: string | undefined): string {
  const found = wanted === undefined ? containers[0] : containers.find((container) => container.name === wanted);
  if (found !== undefined) return found.log;
  const names = containers.map((container) => container.name).join(", ") || `none: ${reason}`;
  throw notFound(`the pod ${namespace}/${name} has no container ${wanted ?? ""}`.trimEnd(), `its containers: ${names}`);
}

function notFound(what: string, remedy: string): AmbitError {
  return new AmbitError({ code: "not-in-lab", kind: "user", what, remedy });
}

const INTERVAL_MS = 100;
const CHUNK = 64 << 10;

/** Prints a file; with `follow` also what is appended, until the file is removed. A missing file prints nothing. */
async function printLog(path: string, follow: boolean): Promise<void> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return;
    throw error;
  }
  try {
    const buffer = Buffer.allocUnsafe(CHUNK);
    let position = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK, position);
      position += bytesRead;
      if (bytesRead > 0) {
        await write(buffer.subarray(0, bytesRead));
        continue;
      }
      const { nlink, size } = await file.stat();
      if (!follow || nlink === 0) return;
      // The supervisor has emptied the file, because it was too long.
      if (size < position) position = 0;
      await sleep(INTERVAL_MS);
    }
  } finally {
    await file.close();
  }
}

/** Resolves once the chunk is written, since the caller reuses the buffer. */
function write(chunk: Uint8Array): Promise<void> {
  return new Promise((resolve) => process.stdout.write(chunk, () => resolve()));
}
