import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { readAgentStatus, type AgentStatus } from "./agent-status.ts";
import type { AuthorityAccess } from "./authority-process.ts";
import { HelperProcess } from "./helper-process.ts";
import { nodeStateDir, type LabPaths } from "./lab-paths.ts";
import { tailOf } from "./log-tail.ts";
import type { NodePlace } from "./node-place.ts";
import { selfCommand } from "./self-command.ts";

const POLL_MS = 250;
/** Its own way out: listeners drain, the proxy ends. */
const STOP_MS = 3_000;

/** A node's agent: `ambit agent` in the node's network and cgroup, started again when it dies, asked what it sees. */
export class AgentProcess {
  readonly socket: string;
  readonly logFile: string;
  readonly #process: HelperProcess;
  readonly #onChange: () => void;
  readonly #poll: NodeJS.Timeout;
  #status: AgentStatus | undefined;
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
        ...[
          "--reports-dir",
          paths.reports,
          "--authority",
          authority.address,
          "--join-token-file",
          authority.joinTokenFile,
        ],
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

  /** As of the last answer; undefined while it gives none. */
  get status(): AgentStatus | undefined {
    return this.#status;
  }

  /** Why it is not ready, in words; "" if it is. */
  explain(): string {
    if (this.#status?.ready === true) return "";
    const said = tailOf(this.logFile, 3);
    if (this.pid === undefined) return `its agent ended with ${this.#lastEnd}${said && `: ${said}`}`;
    if (this.#status === undefined) return `its agent does not answer yet${said && `: ${said}`}`;
    return this.#status.trouble || "its proxy is not ready yet";
  }

  async stop(): Promise<void> {
    clearInterval(this.#poll);
    await this.#process.stop(STOP_MS);
  }

  async #ask(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const status = this.pid === undefined ? undefined : await readAgentStatus(this.socket);
    this.#asking = false;
    this.#status = status;
    const seen = status && JSON.stringify([status, [...status.enrolled], [...status.reasons]]);
    if ((seen ?? "") === this.#seen) return;
    this.#seen = seen ?? "";
    this.#onChange();
  }
}
