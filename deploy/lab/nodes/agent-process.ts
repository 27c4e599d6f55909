import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { askUnix } from "../../../agent/lib/unix-http.ts";
import type { PrintedProblem } from "../../../agent/model/problem.ts";
import { nodeStateDir, type LabPaths } from "../machine/lab-paths.ts";
import { tailOf } from "../machine/log-tail.ts";
import { selfCommand } from "../machine/self-command.ts";
import type { AuthorityAccess } from "./authority-process.ts";
import { HelperProcess } from "./helper-process.ts";
import type { NodePlace } from "./node-place.ts";

const POLL_MS = 250;
/** How long a pod waits for its agent to see it, and how often the agent is asked. */
const ADMIT_MS = 3_000;
const ADMIT_POLL_MS = 10;
/** Time for a normal end: listeners drain, the proxy ends. */
const STOP_MS = 3_000;

/** A node's agent: runs `ambit agent` in the node's network and cgroup, restarts it when it dies, and polls its status. */
export class AgentProcess {
  readonly socket: string;
  readonly logFile: string;
  readonly #process: HelperProcess;
  readonly #onChange: () => void;
  readonly #poll: NodeJS.Timeout;
  #status: PolledStatus | undefined;
  #seen = "";
  #asking = false;
  #lastEnd = "";

  constructor(paths: LabPaths, node: NodePlace, manifests: string, authority: AuthorityAccess, onChange: () => void) {
    const stateDir = nodeStateDir(paths, node.name);
    mkdirSync(stateDir, { recursive: true });
    chmodSync(stateDir, 0o700);
    this.socket = join(stateDir, "admin.sock");
    this.logFile = join(stateDir, "agent.log");
    this.#onChange = onChange;
    const { pods, proxy, kubelet, agent } = node.cgroups;
    this.#process = new HelperProcess({
      command: selfCommand(
        ...["agent", "--node", node.name, "--manifests", manifests, "--manifests", paths.cluster],
        ...["--state-dir", stateDir, "--pods-cgroup", pods, "--proxy-cgroup", proxy, "--kubelet-cgroup", kubelet],
        ...["--authority", authority.address, "--join-token-file", authority.joinTokenFile],
      ),
      netns: node.netns,
      cgroup: agent,
      logFile: this.logFile,
      onEnd: (reason) => {
        this.#lastEnd = reason;
        onChange();
      },
    });
    this.#poll = setInterval(() => void this.#ask(), POLL_MS);
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** The agent's last answer; undefined while it does not answer. */
  get status(): PolledStatus | undefined {
    return this.#status;
  }

  /** Why the node is not ready, in words; "" if it is. */
  explain(): string {
    if (this.#status?.ready === true) return "";
    const said = tailOf(this.logFile, 3);
    if (this.pid === undefined) return `its agent ended with ${this.#lastEnd}${said && `: ${said}`}`;
    if (this.#status === undefined) return `its agent does not answer yet${said && `: ${said}`}`;
    return this.#status.trouble || "its proxy is not ready yet";
  }

  /**
   * Resolves when the agent has seen the pod's sandbox, so that it is guarded from its first process on. An agent that does not
   * answer, or not in time, holds back no pod.
   */
  async admit(uid: string): Promise<void> {
    for (const deadline = Date.now() + ADMIT_MS; Date.now() < deadline && this.pid !== undefined;) {
      try {
        const { status, body } = await askUnix(this.socket, "/sandboxes", { timeoutMs: ADMIT_MS });
        if (status !== 200 || (JSON.parse(body) as readonly string[]).includes(uid)) return;
      } catch {
        return;
      }
      await sleep(ADMIT_POLL_MS);
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#poll);
    await this.#process.stop(STOP_MS);
  }

  async #ask(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const status = this.pid === undefined ? undefined : await pollStatus(this.socket);
    this.#asking = false;
    this.#status = status;
    const seen = status && JSON.stringify([status, [...status.enrolled], [...status.reasons]]);
    if ((seen ?? "") === this.#seen) return;
    this.#seen = seen ?? "";
    this.#onChange();
  }
}

/** The part of an agent's `GET /status` that the lab reads. */
export interface PolledStatus {
  readonly ready: boolean;
  readonly envoyPid: number | undefined;
  /** UIDs of enrolled pods. */
  readonly enrolled: ReadonlySet<string>;
  /** Why a pod is not enrolled, by UID. */
  readonly reasons: ReadonlyMap<string, string>;
  readonly problems: readonly PrintedProblem[];
  /** The trouble of its proxy; "" if there is none. */
  readonly trouble: string;
}

const TIMEOUT_MS = 2_000;

/** undefined while the agent does not answer. */
async function pollStatus(socket: string): Promise<PolledStatus | undefined> {
  try {
    const { status, body } = await askUnix(socket, "/status", { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return status === 200 ? parse(JSON.parse(body)) : undefined;
  } catch {
    return undefined;
  }
}

interface WireStatus {
  readonly ready?: boolean;
  readonly envoy?: { readonly pid?: number; readonly trouble?: { readonly what: string; readonly said: string } };
  readonly pods?: readonly { readonly uid: string; readonly enrolled: boolean; readonly reason?: string }[];
  readonly problems?: readonly PrintedProblem[];
}

function parse(value: unknown): PolledStatus {
  const status = value as WireStatus;
  const pods = status.pods ?? [];
  return {
    ready: status.ready ?? false,
    envoyPid: status.envoy?.pid,
    enrolled: new Set(pods.filter(({ enrolled }) => enrolled).map(({ uid }) => uid)),
    reasons: new Map(pods.flatMap(({ uid, reason }) => (reason === undefined ? [] : [[uid, reason] as const]))),
    problems: status.problems ?? [],
    trouble: [status.envoy?.trouble?.what, status.envoy?.trouble?.said].filter(Boolean).join(": "),
  };
}
