import { join, resolve } from "node:path";
import { AmbitError } from "../../../agent/lib/errors.ts";
import { isDnsLabel } from "../../../agent/objects/valid-names.ts";

/** Where one lab keeps its files. */
export interface LabPaths {
  readonly name: string;
  /** The folder for all files of the lab. */
  readonly root: string;
  /** Control API: HTTP on a unix socket, 0600. */
  readonly socket: string;
  /** The lab's supervisor: `SupervisorRecord` as JSON. */
  readonly supervisor: string;
  /** Output of the supervisor and its helpers. */
  readonly supervisorLog: string;
  /** One empty file for each network namespace, made before it. `lab down` removes all of them, whichever process died. */
  readonly netnsRecords: string;
  /** Resolved objects. The agents read them beside the user's manifests. */
  readonly cluster: string;
  /** State of the authority: keys, hashes of join tokens, its socket. */
  readonly authority: string;
}

/** `sun_path` of unix(7) has 108 bytes, the last of them 0. */
const MAX_SOCKET_PATH = 107;
const MAX_NAME = 30;

export function stateDir(): string {
  return resolve(process.env["AMBIT_STATE_DIR"] ?? "/var/lib/ambit");
}

export function labsDir(): string {
  return join(stateDir(), "labs");
}

/** Throws AmbitError `lab-name` if no lab can have this name. */
export function labPaths(name: string): LabPaths {
  if (!isDnsLabel(name) || name.length > MAX_NAME) {
    throw new AmbitError({
      code: "lab-name",
      kind: "user",
      what: `'${name}' cannot be the name of a lab`,
      remedy: `use at most ${MAX_NAME} lower-case letters, digits and hyphens, a letter or digit first and last`,
    });
  }
  const root = join(labsDir(), name);
  return {
    name,
    root,
    socket: join(root, "lab.sock"),
    supervisor: join(root, "supervisor.json"),
    supervisorLog: join(root, "supervisor.log"),
    netnsRecords: join(root, "netns"),
    cluster: join(root, "cluster"),
    authority: join(root, "authority"),
  };
}

/** The state folder of a node's agent. */
export function nodeStateDir(paths: LabPaths, node: string): string {
  return join(paths.root, "nodes", node);
}

export function podLogDir(paths: LabPaths, uid: string): string {
  return join(paths.root, "pods", uid, "logs");
}

/** Throws AmbitError `state-dir-too-long` where the paths of the node's sockets are too long for the kernel. */
export function requireShortSocketPaths(paths: LabPaths, node: string): void {
  const longest = join(nodeStateDir(paths, node), "envoy-admin.sock");
  if (Buffer.byteLength(longest) <= MAX_SOCKET_PATH) return;
  throw new AmbitError({
    code: "state-dir-too-long",
    kind: "user",
    what: `the path of the unix socket ${longest} is longer than ${MAX_SOCKET_PATH} bytes`,
    remedy: "set AMBIT_STATE_DIR to a folder with a shorter path, or use shorter names",
  });
}
