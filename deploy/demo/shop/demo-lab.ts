import type { Readable } from "node:stream";
import { AmbitError } from "../../../agent/lib/errors.ts";
import { start } from "../../../agent/lib/exec.ts";
import type * as lab from "../../lab/control/status-protocol.ts";
import { selfCommand } from "../../lab/machine/self-command.ts";

/** What the demo reads of `ambit lab status -o json`. */
export interface DemoStatus {
  readonly nodes: readonly DemoNode[];
  readonly pods: readonly DemoPod[];
}

export type DemoNode = Pick<lab.LabNodeStatus, "name" | "metricsUrl">;

export interface DemoPod extends Pick<lab.LabPodStatus, "namespace" | "name" | "node" | "ip" | "enrolled"> {
  readonly containers: readonly Pick<lab.ContainerStatus, "name" | "pid" | "restarts">[];
}

/** The lab that the demo runs in, driven by the same commands that a person would type. */
export class DemoLab {
  private readonly name: string;
  private readonly signal: AbortSignal;

  /** `signal` interrupts the command that runs, as Ctrl-C would. It does not interrupt `down`. */
  constructor(name: string, signal: AbortSignal) {
    this.name = name;
    this.signal = signal;
  }

  /** Throws AmbitError `demo-command-failed` with what the lab said. */
  async up(manifests: string): Promise<void> {
    await ambit(["lab", "up", "--name", this.name, "--manifests", manifests, "--nodes", "2", "--detach"], this.signal);
  }

  async down(): Promise<void> {
    await ambit(["lab", "down", "--name", this.name]);
  }

  async status(): Promise<DemoStatus> {
    // Scripts rely on this output, so its shape is a contract: no check of each field here.
    return JSON.parse(await ambit(["lab", "status", "--name", this.name, "-o", "json"], this.signal)) as DemoStatus;
  }

  /** Resolves once every node has followed. */
  async enroll(namespace: string): Promise<void> {
    await ambit(["enroll", "--name", this.name, namespace], this.signal);
  }

  async unenroll(namespace: string): Promise<void> {
    await ambit(["unenroll", "--name", this.name, namespace], this.signal);
  }
}

/**
 * Runs `ambit` with these arguments and returns its standard output. The command has a session of its own: Ctrl-C reaches
 * the demo alone, and no command ends half-way.
 */
async function ambit(args: readonly string[], signal?: AbortSignal): Promise<string> {
  signal?.throwIfAborted();
  const [file, ...rest] = selfCommand(...args);
  const child = start(file, rest, {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const exit = new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
  const interrupt = (): void => void child.kill("SIGINT");
  signal?.addEventListener("abort", interrupt);
  const [stdout, stderr, code] = await Promise.all([textOf(child.stdout), textOf(child.stderr), exit]);
  signal?.removeEventListener("abort", interrupt);
  signal?.throwIfAborted();
  if (code === 0) return stdout;
  throw new AmbitError({
    code: "demo-command-failed",
    kind: "system",
    what: `'ambit ${args.join(" ")}' failed with exit code ${code}`,
    why: stderr.trim(),
  });
}

async function textOf(stream: Readable | null): Promise<string> {
  let text = "";
  for await (const part of stream ?? []) text += String(part);
  return text;
}

/** The pods of a Deployment: their names begin with its name. */
export function podsOf(status: DemoStatus, namespace: string, app: string): readonly DemoPod[] {
  return status.pods.filter((pod) => pod.namespace === namespace && pod.name.startsWith(`${app}-`));
}

/** The pod of a Deployment with one replica. Throws if there is none. */
export function onlyPodOf(status: DemoStatus, namespace: string, app: string): DemoPod {
  const [pod] = podsOf(status, namespace, app);
  if (pod === undefined) throw new Error(`the lab has no pod of ${namespace}/${app}`);
  return pod;
}

/** Every container's process: `namespace/pod/container pid restarts`, sorted. */
export function processesOf(status: DemoStatus): readonly string[] {
  return status.pods
    .flatMap(({ namespace, name, containers }) =>
      containers.map((container) => `${namespace}/${name}/${container.name} ${container.pid} ${container.restarts}`),
    )
    .toSorted();
}
