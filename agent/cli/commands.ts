import type { Command } from "commander";

export interface CommandEntry {
  readonly name: string;
  /** One line for the list in `ambit --help`. */
  readonly summary: string;
  /** Imports the command's module, and adds the command to the program. */
  readonly register: (program: Command) => Promise<void>;
}

/** Every command, in the order of `--help`. Modules are imported only when their command is called: start-up stays fast. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "demo",
    summary: "a shop that joins the mesh before your eyes, on this machine",
    register: async (program) => (await import("../../deploy/demo/command.ts")).registerDemo(program),
  },
  {
    name: "lab",
    summary: "run Kubernetes manifests on this machine: nodes and pods as network namespaces",
    register: async (program) => (await import("../../deploy/lab/cli/lab.ts")).registerLab(program),
  },
  {
    name: "enroll",
    summary: "bring a namespace or a pod into the mesh, while it runs",
    register: async (program) => (await import("./enroll.ts")).registerEnroll(program),
  },
  {
    name: "unenroll",
    summary: "take a namespace or a pod out of the mesh, while it runs",
    register: async (program) => (await import("./unenroll.ts")).registerUnenroll(program),
  },
  {
    name: "status",
    summary: "what the nodes' agents and proxies say of themselves",
    register: async (program) => (await import("./status.ts")).registerStatus(program),
  },
  {
    name: "check",
    summary: "look for problems in manifests, or on this machine",
    register: async (program) => (await import("./check.ts")).registerCheck(program),
  },
  {
    name: "authz",
    summary: "which policy decides about a call, and why",
    register: async (program) => (await import("./authz-explain.ts")).registerAuthz(program),
  },
  {
    name: "compile",
    summary: "what a node would be sent for some manifests, as YAML, without sending it",
    register: async (program) => (await import("./compile.ts")).registerCompile(program),
  },
  {
    name: "agent",
    summary: "run one node's agent in the foreground",
    register: async (program) => (await import("./agent.ts")).registerAgent(program),
  },
  {
    name: "cert",
    summary: "the certificates that nodes hold for their pods",
    register: async (program) => (await import("./cert.ts")).registerCert(program),
  },
  {
    name: "authority",
    summary: "sign the certificates of the nodes' pods",
    register: async (program) => (await import("./authority.ts")).registerAuthority(program),
  },
  {
    name: "version",
    summary: "versions of Ambit, Node and Envoy",
    register: async (program) => (await import("./version.ts")).registerVersion(program),
  },
];
