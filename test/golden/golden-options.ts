import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { assumedIdentities } from "../../agent/compile/assumed-identities.ts";
import { compile, type NodeConfig } from "../../agent/compile/compile.ts";
import { newSession } from "../../agent/compile/session.ts";
import type { CompileOptions } from "../../agent/compile/view/options.ts";
import type { Mesh } from "../../agent/model/mesh.ts";
import type { SandboxLookup } from "../../agent/model/sandbox.ts";

export const GOLDEN_INPUT = join(import.meta.dirname, "in");
export const GOLDEN_OUTPUT = join(import.meta.dirname, "out");

const GOLDEN_OPTIONS = {
  node: "node-1",
  trustDomain: "cluster.local",
  rootNamespace: "istio-system",
  cluster: "Kubernetes",
  filterModule: "/filters/chain.wasm",
  accessLog: "/dev/stdout",
  fetchedKeys: new Map([["http://keys.shop/keys.json", { keys: [], failure: "the server answers 503" }]]),
} as const;

export function goldenOptions(mesh: Mesh): CompileOptions {
  return { ...GOLDEN_OPTIONS, ...assumedIdentities(mesh, { ...GOLDEN_OPTIONS, sandboxes: annotated(mesh) }) };
}

/** Network namespaces by the pods' annotation, whoever could change the file. */
function annotated(mesh: Mesh): SandboxLookup {
  const pods = new Map(mesh.workloads.map(({ uid, meta }) => [uid, meta.annotations["ambit.dev/netns"]]));
  return { netnsOf: (uid) => pods.get(uid) };
}

/** What `node-1` is told. */
export function compiled(mesh: Mesh): NodeConfig {
  return compile(mesh, goldenOptions(mesh), newSession(0));
}

/** Puts one case into a folder of its own below `parent`; the folder. */
export function writeCase(file: string, parent: string): string {
  const folder = join(parent, file.replace(/\.yaml$/u, ""));
  mkdirSync(folder, { recursive: true });
  cpSync(join(GOLDEN_INPUT, file), join(folder, file));
  return folder;
}
