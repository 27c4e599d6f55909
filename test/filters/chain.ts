import { existsSync } from "node:fs";
import { join } from "node:path";
import type { FilterConfig, FilterOperation, FilterSource } from "../../agent/compile/filters/filter-config.ts";

/** The module that nodes run; `npm test` builds it first. */
export const CHAIN = join(import.meta.dirname, "../../dist/filters/chain.wasm");
if (!existsSync(CHAIN)) throw new Error(`${CHAIN} is not there: run 'npm run build'`);

export const EMPTY: FilterConfig = {
  trustDomain: "cluster.local",
  cluster: "Kubernetes",
  policySets: [],
  clusters: [],
  pods: [],
  peers: [],
  retryBudgets: [],
};

export function peer(name: string, namespace = "shop"): string {
  return [
    `uid-${name}`,
    name,
    namespace,
    name,
    name,
    "v1",
    name,
    "v1",
    `cluster.local/ns/${namespace}/sa/${name}`,
  ].join("|");
}

export function source(part: Partial<FilterSource>): FilterSource {
  const none: readonly string[] = [];
  return {
    principals: none,
    notPrincipals: none,
    namespaces: none,
    notNamespaces: none,
    ipBlocks: none,
    notIpBlocks: none,
    ...part,
  };
}

export function operation(part: Partial<FilterOperation>): FilterOperation {
  const none: readonly string[] = [];
  return {
    hosts: none,
    notHosts: none,
    methods: none,
    notMethods: none,
    paths: none,
    notPaths: none,
    ports: none,
    notPorts: none,
    ...part,
  };
}
