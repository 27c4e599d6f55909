import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { assumedIdentities } from "../compile/assumed-identities.ts";
import { compile } from "../compile/compile.ts";
import { newSession } from "../compile/session.ts";
import { openFilterCheck } from "../node/filter-check.ts";
import { toYaml } from "../compile/to-yaml.ts";
import { loadFolders } from "../sources/load-manifests.ts";
import { collect, withMeshFlags, type MeshFlags } from "./mesh-flags.ts";

interface CompileFlags extends MeshFlags {
  readonly manifests: readonly string[];
  readonly node: string;
  readonly output: string;
}

export function registerCompile(program: Command): void {
  withMeshFlags(program.command("compile"))
    .description(
      "Compiles manifests to the configuration of one node's Envoy and kernel, and writes one YAML file for each kind.",
    )
    .requiredOption("--manifests <folder>", "folder of manifests; later ones override earlier ones", collect)
    .requiredOption("--node <name>", "the node to compile for")
    .requiredOption("-o, --output <folder>", "folder for the files")
    .addHelpText(
      "after",
      `
Writes listeners.yaml, clusters.yaml, endpoints.yaml, routes.yaml, filters.yaml (the built-in filters' configuration),
bpf.yaml (what the kernel captures) and problems.yaml. Pods need addresses (status.podIPs). Pods of this node also need the
annotation ambit.dev/netns.

Example:
  $ ambit compile --manifests ./my-app --node node-1 -o /tmp/node-1`,
    )
    .action(async (flags: CompileFlags) => {
      const { mesh, sandboxes } = await loadFolders(flags.manifests, flags);
      const files = toYaml(
        compile(
          mesh,
          {
            node: flags.node,
            ...assumedIdentities(mesh, { ...flags, sandboxes }),
            trustDomain: flags.trustDomain,
            rootNamespace: flags.rootNamespace,
            cluster: "Kubernetes",
            filterModule: "/var/lib/ambit/filters/chain.wasm",
            checkFilters: openFilterCheck(),
            accessLog: "/dev/stdout",
          },
          newSession(0),
        ),
      );
      mkdirSync(flags.output, { recursive: true });
      for (const [name, text] of files) writeFileSync(join(flags.output, name), text);
      process.stdout.write(`${[...files.keys()].join(", ")} written to ${flags.output}\n`);
    });
}
