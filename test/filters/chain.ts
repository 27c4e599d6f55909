import { existsSync } from "node:fs";
import { join } from "node:path";
import type { FilterConfig } from "../../agent/compile/filters/filter-config.ts";
import type { PolicyOperation, PolicySource } from "../../agent/model/authorization-policy.ts";

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

export function source(part: Partial<PolicySource>): PolicySource {
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

export function operation(part: Partial<PolicyOperation>): PolicyOperation {
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
