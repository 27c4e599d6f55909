import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe } from "../../agent/lib/errors.ts";
import { packageRoot } from "../../agent/lib/package.ts";
import { askUnix } from "../../agent/lib/unix-http.ts";
import { requestJoinCommand, labStatus } from "../../deploy/lab/control/client.ts";
import type { LabStatus } from "../../deploy/lab/control/status-protocol.ts";
import { stringify } from "../../agent/lib/yaml.ts";
import { tryExec, type ExecResult } from "../../agent/lib/exec.ts";
import { podReference } from "../../deploy/lab/cli/lab-options.ts";
import { AMBIT } from "../support/ambit-command.ts";

export const APPS = join(packageRoot(), "test/mesh/apps");

interface NodeProcesses {
  readonly name: string;
  readonly agentPid: number;
  readonly envoyPid: number;
}

/** What `apps/send.mjs` tells of a request; status 0: no answer came, and `code` says why. */
export interface Answer {
  readonly status: number;
  readonly code?: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A line of an access log. */
export type LogLine = Readonly<Record<string, string | number | null>>;

/** A lab of its own for one test file, driven by `ambit lab` and by the lab's control API, which is behind those commands. */
export class MeshLab {
  readonly name: string;
  readonly manifests: string = mkdtempSync(join(tmpdir(), "ambit-mesh-"));
  readonly #env: NodeJS.ProcessEnv;

  constructor(area: string, env: NodeJS.ProcessEnv = {}) {
    this.name = `${area}${process.pid}`;
    this.#env = { ...process.env, ...env };
  }

  write(file: string, objects: readonly unknown[]): void {
    writeFileSync(join(this.manifests, file), objects.map((object) => stringify(object)).join("---\n"));
  }

  remove(file: string): void {
    rmSync(join(this.manifests, file), { force: true });
  }

  async up(): Promise<void> {
    const args = ["lab", "up", "--name", this.name, "--manifests", this.manifests, "--detach"];
    const { code, stderr } = await this.ambit(...args);
    if (code !== 0) throw new Error(stderr);
  }

  async down(): Promise<void> {
    await this.ambit("lab", "down", "--name", this.name);
    rmSync(this.manifests, { recursive: true, force: true });
  }

  ambit(...args: readonly string[]): Promise<ExecResult> {
    return tryExec(process.execPath, [AMBIT, ...args], { env: this.#env, timeoutMs: 120_000 });
  }

  /** What `ambit lab status` prints. It is asked often, so no process is started for it. */
  status(): Promise<LabStatus> {
    return labStatus(this.name);
  }

  /** Does what `ambit lab exec` does, without a process for the command line itself. */
  async exec(target: string, ...command: readonly string[]): Promise<ExecResult> {
    const joined = await requestJoinCommand(this.name, podReference(target)).catch((error: unknown) => describe(error));
    if (typeof joined === "string") return { code: 1, stdout: "", stderr: joined };
    return tryExec("/bin/sh", [...joined.args, ...command], { env: this.#env, timeoutMs: 120_000, cwd: "/" });
  }

  /** Requests from a pod, one after the other; `headers` as `name: value`. */
  async calls(from: string, url: string, times: number, ...headers: readonly string[]): Promise<readonly Answer[]> {
    const script = join(APPS, "call.mjs");
    const { stdout } = await this.exec(from, process.execPath, script, url, ...headers, "--times", String(times));
    return stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Answer);
  }

  async call(from: string, url: string, ...headers: readonly string[]): Promise<Answer> {
    const [answer] = await this.calls(from, url, 1, ...headers);
    if (answer === undefined) throw new Error("the call printed nothing");
    return answer;
  }

  /** The nodes' processes, once all of them are known. */
  async processes(): Promise<readonly NodeProcesses[]> {
    let found: readonly NodeProcesses[] = [];
    await this.until("the process ids of all nodes are known", async () => {
      const { nodes } = await this.status();
      found = nodes.flatMap(({ name, agentPid, envoyPid }) =>
        agentPid === null || envoyPid === null ? [] : [{ name, agentPid, envoyPid }],
      );
      return found.length === nodes.length;
    });
    return found;
  }

  /** Kills a node's agent or its Envoy, and gives its process id. */
  async kill(node: string, what: "agentPid" | "envoyPid"): Promise<number> {
    const pid = (await this.processes()).find(({ name }) => name === node)?.[what];
    if (pid === undefined) throw new Error(`the lab has no ${node}`);
    process.kill(pid, "SIGKILL");
    return pid;
  }

  /** Kills the agents of nodes, and waits until others are ready in their place. */
  async replaceAgents(...nodes: readonly string[]): Promise<void> {
    const before = (await this.processes()).filter(({ name }) => nodes.includes(name)).map(({ agentPid }) => agentPid);
    for (const pid of before) process.kill(pid, "SIGKILL");
    await this.until("other agents are ready", async () =>
      (await this.status()).nodes.every(
        ({ ready, agentPid }) => ready && agentPid !== null && !before.includes(agentPid),
      ),
    );
  }

  /** What a node's Envoy answers to its administrator. */
  async askEnvoy(node: string, path: string): Promise<string> {
    const socket = join(labStateDir(this.name), "nodes", node, "envoy-admin.sock");
    const { body } = await askUnix(socket, path, { timeoutMs: 30_000 });
    return body;
  }

  /** A command in a pod that is talked to over its standard input and output. */
  start(target: string, ...command: readonly string[]): ChildProcess {
    const args = [AMBIT, "lab", "exec", "--name", this.name, target, "--", ...command];
    return spawn(process.execPath, args, { env: this.#env, stdio: ["pipe", "pipe", "inherit"] });
  }

  /** The lines of a node's access log that hold a text. The last one may be half written, and is left out then. */
  logged(node: string, text: string): readonly LogLine[] {
    return readFileSync(join(labStateDir(this.name), "nodes", node, "access.log"), "utf8")
      .split("\n")
      .slice(0, -1)
      .filter((line) => line.includes(text))
      .map((line) => JSON.parse(line) as LogLine);
  }

  /** The first of them, once it is written: Envoy writes its log every so often. */
  async loggedLine(node: string, text: string): Promise<LogLine | undefined> {
    await this.until(`${node} logs ${text}`, () => this.logged(node, text).length > 0);
    return this.logged(node, text)[0];
  }

  /** Waits for a condition; throws with `what` when it does not come within the time. */
  async until(what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 60_000): Promise<void> {
    for (const deadline = Date.now() + timeoutMs; Date.now() < deadline;) {
      if (await holds()) return;
      // Between looks others have their turn: what the test's own processes say, and the machine.
      await sleep(20);
    }
    throw new Error(`not within ${timeoutMs} ms: ${what}`);
  }
}

/** Where a lab keeps its state. */
export function labStateDir(name: string): string {
  return join(process.env["AMBIT_STATE_DIR"] ?? "/var/lib/ambit", "labs", name);
}

export function namespace(name: string, enrolled: boolean): unknown {
  const labels = enrolled ? { "ambit.dev/dataplane-mode": "ambient" } : {};
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } };
}

/** A pod that runs `echo.mjs`, or only waits to be used by `exec`. */
export function pod(
  ns: string,
  name: string,
  node: string,
  { labels = {}, server = false, account = name, add = [] as readonly string[] } = {},
): unknown {
  const command = server ? [process.execPath, join(APPS, "echo.mjs")] : ["sleep", "infinity"];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: ns, labels: { app: name, ...labels } },
    spec: {
      nodeName: node,
      serviceAccountName: account,
      containers: [
        {
          name: "app",
          image: "none",
          command,
          env: [{ name: "NAME", value: name }],
          ...(server ? { readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 } } : {}),
          securityContext: { capabilities: { add } },
        },
      ],
    },
  };
}

export function service(ns: string, name: string, selector: Readonly<Record<string, string>>): unknown {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: ns },
    spec: {
      selector,
      ports: [
        { name: "http", port: 80, targetPort: 8080 },
        { name: "http2", port: 8081 },
        { name: "tcp-echo", port: 9000 },
      ],
    },
  };
}
