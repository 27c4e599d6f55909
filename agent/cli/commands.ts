import type { Command } from "commander";

export interface CommandEntry {
  readonly name: string;
  /** One line for the list in `ambit --help`. Only subcommands have a summary in their own file. */
  readonly summary: string;
  /** Imports the command's module, and adds the command to the program. */
  readonly register: (program: Command) => Promise<void>;
}

/** Every command, in the order of `--help`. A module is imported only when its command is called, so that start-up is fast. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "demo",
    summary: "watch a shop join the mesh, on this machine",
    register: async (program) => (await import("../../deploy/demo/command.ts")).registerDemo(program),
  },
  {
    name: "lab",
    summary: "run Kubernetes manifests on this machine: nodes and pods as network namespaces",
    register: async (program) => (await import("../../deploy/lab/cli/lab-commands.ts")).registerLab(program),
  },
  {
    name: "enroll",
    summary: "let a namespace or a pod join the mesh while it runs",
    register: async (program) => (await import("./enroll.ts")).registerEnroll(program),
  },
  {
    name: "unenroll",
    summary: "let a namespace or a pod leave the mesh while it runs",
    register: async (program) => (await import("./unenroll.ts")).registerUnenroll(program),
  },
  {
    name: "status",
    summary: "show the state of nodes, agents, Envoys and pods",
    register: async (program) => (await import("./status.ts")).registerStatus(program),
  },
  {
    name: "check",
    summary: "look for problems in manifests, or on this machine",
    register: async (program) => (await import("./check.ts")).registerCheck(program),
  },
  {
    name: "authz",
    summary: "show which policy decides a call, and why",
    register: async (program) => (await import("./authz-explain.ts")).registerAuthz(program),
  },
  {
    name: "compile",
    summary: "write the configuration of a node as YAML, without running anything",
    register: async (program) => (await import("./compile.ts")).registerCompile(program),
  },
  {
    name: "agent",
    summary: "run one node's agent in the foreground",
    register: async (program) => (await import("./agent.ts")).registerAgent(program),
  },
  {
    name: "cert",
    summary: "show and renew the certificates that nodes have for their pods",
    register: async (program) => (await import("./cert.ts")).registerCert(program),
  },
  {
    name: "authority",
    summary: "sign the certificates of pods, and carry what nodes tell each other",
    register: async (program) => (await import("./authority.ts")).registerAuthority(program),
  },
  {
    name: "version",
    summary: "show the versions of Ambit, Node and Envoy",
    register: async (program) => (await import("./version.ts")).registerVersion(program),
  },
];
