import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { writePrivateFile } from "../../../agent/lib/private-file.ts";
import { authorityCgroup } from "../machine/cgroup.ts";
import { nodeStateDir, type LabPaths } from "../machine/lab-paths.ts";
import { selfCommand } from "../machine/self-command.ts";
import { HelperProcess } from "./helper-process.ts";

/** The authority's address, and the file by which a node's agent proves itself to it. */
export interface AuthorityAccess {
  readonly address: string;
  readonly joinTokenFile: string;
}

/** Short, because the authority has nothing to finish. */
const STOP_MS = 500;

/** The lab's authority: runs `ambit authority run` on the machine itself. Every node reaches its unix socket. */
export class AuthorityProcess {
  readonly #paths: LabPaths;
  readonly #process: HelperProcess;

  constructor(paths: LabPaths, manifests: string) {
    this.#paths = paths;
    const cgroup = authorityCgroup(paths.name);
    for (const folder of [paths.authority, cgroup]) mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#process = new HelperProcess({
      command: selfCommand(
        ...["authority", "run", "--manifests", manifests, "--manifests", paths.cluster],
        ...["--state-dir", paths.authority, "--listen", this.#address],
      ),
      cgroup,
      logFile: join(paths.authority, "authority.log"),
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Makes a node's join token, in a file that only its agent reads. */
  async admit(node: string): Promise<AuthorityAccess> {
    // Imported here, because a lab without agents does not need the code for certificates.
    const { makeJoinFile } = await import("../../../agent/identity/authority/join-tokens.ts");
    const folder = nodeStateDir(this.#paths, node);
    mkdirSync(folder, { recursive: true });
    const joinTokenFile = join(folder, "join-token.json");
    writePrivateFile(joinTokenFile, JSON.stringify(await makeJoinFile(this.#paths.authority, node)));
    return { address: this.#address, joinTokenFile };
  }

  stop(): Promise<void> {
    return this.#process.stop(STOP_MS);
  }

  get #address(): string {
    return `unix:${join(this.#paths.authority, "agents.sock")}`;
  }
}
