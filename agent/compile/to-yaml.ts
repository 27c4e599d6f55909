import { compareText } from "../lib/compare.ts";
import { printProblem } from "../model/problem.ts";
import { stringify } from "../lib/yaml.ts";
import { toPrintable } from "../xds/registry.ts";
import { KINDS } from "../xds/snapshot.ts";
import type { Message } from "../xds/proto.ts";
import type { NodeConfig } from "./compile.ts";

/**
 * A node's configuration as YAML texts by file name. They are sorted, so that a diff of two configurations is short.
 */
export function toYaml(config: NodeConfig): ReadonlyMap<string, string> {
  const xds = KINDS.filter((kind) => kind !== "extensions").map((kind) => {
    const onDemand = kind === "clusters" ? config.xds.onDemandClusters : [];
    const messages = [...(config.xds[kind] as ReadonlyMap<string, Message | undefined>), ...onDemand].toSorted(
      ([a], [b]) => compareText(a, b),
    );
    return [
      `${kind}.yaml`,
      yaml(messages.flatMap(([, message]) => (message === undefined ? [] : [toPrintable(message)]))),
    ] as const;
  });
  return new Map([
    ...xds,
    ["bpf.yaml", yaml(config.capture)],
    ["filters.yaml", yaml(config.filters)],
    ["problems.yaml", yaml(config.problems.map(printProblem))],
  ]);
}

function yaml(value: unknown): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}
