import { existsSync } from "node:fs";
import { join } from "node:path";
import type { PlaceConfig } from "../../agent/compile/filters/filter-extensions.ts";
import { packageRoot } from "../../agent/lib/package.ts";
import { DEFAULT_CALLER_TIMES } from "../../agent/model/caller-times.ts";
import { DEFAULT_SERIES_LIMITS } from "../../agent/model/series-limits.ts";
import type { PolicyAttribute, PolicyCondition } from "../../agent/model/authorization-policy.ts";

/** The module that nodes run; `npm test` builds it first. */
export const CHAIN = join(packageRoot(), "dist/filters/chain.wasm");
if (!existsSync(CHAIN)) throw new Error(`${CHAIN} is not there: run 'npm run build'`);

export const EMPTY: PlaceConfig = {
  cluster: "Kubernetes",
  firstByteMs: DEFAULT_CALLER_TIMES.firstByteMs,
  series: DEFAULT_SERIES_LIMITS,
  policySets: [],
  jwtRules: [],
  clusters: [],
  pods: [],
  unguarded: [],
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

const SOURCE = {
  principals: "source.principal",
  namespaces: "source.namespace",
  ipBlocks: "source.ip",
} as const satisfies Record<string, PolicyAttribute>;
const OPERATION = {
  hosts: "request.host",
  methods: "request.method",
  paths: "request.path",
  ports: "destination.port",
} as const satisfies Record<string, PolicyAttribute>;

type Part<Fields> = {
  readonly [Field in keyof Fields | `not${Capitalize<keyof Fields & string>}`]?: readonly string[];
};

/** What a policy's `source` is compiled to. */
export function source(part: Part<typeof SOURCE>): readonly PolicyCondition[] {
  return conditions(SOURCE, part);
}

export function operation(part: Part<typeof OPERATION>): readonly PolicyCondition[] {
  return conditions(OPERATION, part);
}

function conditions(
  fields: Readonly<Record<string, PolicyAttribute>>,
  part: Readonly<Record<string, readonly string[] | undefined>>,
): readonly PolicyCondition[] {
  return Object.entries(fields).flatMap(([field, attribute]) => {
    const values = part[field] ?? [];
    const notValues = part[`not${field.charAt(0).toUpperCase()}${field.slice(1)}`] ?? [];
    return values.length + notValues.length === 0 ? [] : [{ attribute, path: [], values, notValues }];
  });
}
