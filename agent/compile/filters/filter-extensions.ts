import {
  TypedExtensionConfigSchema,
  type TypedExtensionConfig,
} from "../../xds/gen/envoy/config/core/v3/extension_pb.ts";
import { WasmSchema as HttpWasmSchema } from "../../xds/gen/envoy/extensions/filters/http/wasm/v3/wasm_pb.ts";
import { WasmSchema as NetworkWasmSchema } from "../../xds/gen/envoy/extensions/filters/network/wasm/v3/wasm_pb.ts";
import { FailurePolicy, PluginConfigSchema } from "../../xds/gen/envoy/extensions/wasm/v3/wasm_pb.ts";
import { any, create, StringValueSchema, type Any } from "../../xds/proto.ts";
import type { FilterConfig } from "./filter-config.ts";
import { FILTERS } from "../view/names.ts";

type FilterPlace = keyof typeof FILTERS;

/** What the module reads at one place. */
export type PlaceConfig = Omit<FilterConfig, "tcpPolicySets">;

/** The last results, as a whole and for each place, and what plugins are called. */
export interface ExtensionMemory {
  /** Part of the names of all plugins of a session. */
  readonly began: string;
  /** How many plugins the session has named. */
  revisions: number;
  last: { readonly key: string; readonly made: readonly TypedExtensionConfig[] } | undefined;
  readonly lastOf: Map<FilterPlace, { readonly key: string; readonly made: TypedExtensionConfig }>;
}

/**
 * `began`: the time, in milliseconds since 1970. No other session that this Envoy has been configured by may have begun
 * at the same time.
 *
 * Envoy keeps a plugin (PluginConfig.name) as long as a request that came under it runs. When a plugin with the same
 * name and configuration comes meanwhile, Envoy takes the one that it has and does not configure it; the module goes on
 * with the configuration that came in between. So a configuration that returns to what it was gets a new name, also
 * from the agent after this one.
 */
export function newExtensionMemory(began: number): ExtensionMemory {
  return { began: began.toString(36), revisions: 0, last: undefined, lastOf: new Map() };
}

/** The built-in filters as ECDS resources: one module in one VM, seven places in the path. */
export function filterExtensions(
  config: FilterConfig,
  modulePath: string,
  memory: ExtensionMemory,
): readonly TypedExtensionConfig[] {
  const key = JSON.stringify([modulePath, config]);
  // The configuration is large and changes rarely; the same messages need no encoding again.
  if (memory.last?.key !== key) memory.last = { key, made: makeExtensions(config, modulePath, memory) };
  return memory.last.made;
}

const PLACES = ["outbound", "outboundRouted", "inbound", "outboundTcp", "inboundTcp", "firstByte", "guard"] as const;
const NETWORK_PLACES: readonly FilterPlace[] = ["outboundTcp", "inboundTcp", "firstByte", "guard"];

function makeExtensions(
  config: FilterConfig,
  modulePath: string,
  memory: ExtensionMemory,
): readonly TypedExtensionConfig[] {
  return PLACES.map((place) => {
    const text = JSON.stringify(toldTo(place, config));
    const key = `${modulePath} ${text}`;
    const known = memory.lastOf.get(place);
    if (known?.key === key) return known.made;
    const made = makeExtension(place, text, modulePath, `${memory.began}-${++memory.revisions}`);
    memory.lastOf.set(place, { key, made });
    return made;
  });
}

function makeExtension(place: FilterPlace, text: string, modulePath: string, revision: string): TypedExtensionConfig {
  const { resource, rootId } = FILTERS[place];
  const configuration = any(StringValueSchema, { value: text });
  const plugin = pluginConfig(`${rootId} ${revision}`, rootId, configuration, modulePath);
  return create(TypedExtensionConfigSchema, {
    name: resource,
    typedConfig: NETWORK_PLACES.includes(place)
      ? any(NetworkWasmSchema, { config: plugin })
      : any(HttpWasmSchema, { config: plugin }),
  });
}

/** The part of the configuration that a place needs. Envoy keeps a copy for each filter of each listener. */
export function toldTo(place: FilterPlace, { tcpPolicySets, ...config }: FilterConfig): PlaceConfig {
  const { cluster, firstByteMs, series, clusters, pods, unguarded, peers, retryBudgets } = config;
  const nothing = { policySets: [], jwtRules: [], clusters: [], pods: [], unguarded: [], peers: [], retryBudgets: [] };
  const common = { cluster, firstByteMs, series, ...nothing };
  switch (place) {
    case "outbound":
      return { ...common, ...guarding(config, clusters), clusters };
    case "outboundRouted":
      // Only routes have retries.
      return { ...common, ...guarding(config, clusters), clusters, retryBudgets };
    case "inbound":
      return { ...common, ...guarding(config, pods), pods, unguarded };
    case "outboundTcp":
    case "inboundTcp":
    case "firstByte":
      return common;
    case "guard":
      return { ...common, policySets: setsOf(tcpPolicySets, pods), pods, unguarded, peers };
  }
}

type SetRefs = readonly { readonly policySet: string }[];

/** The policy sets of the guarded clusters or pods, and the rules for tokens that these sets name. */
function guarding(
  config: Pick<FilterConfig, "policySets" | "jwtRules">,
  guarded: SetRefs,
): Pick<FilterConfig, "policySets" | "jwtRules"> {
  const policySets = setsOf(config.policySets, guarded);
  const ids = new Set(policySets.flatMap((set) => set.jwtRules));
  return { policySets, jwtRules: config.jwtRules.filter(({ id }) => ids.has(id)) };
}

function setsOf(sets: FilterConfig["policySets"], guarded: SetRefs): FilterConfig["policySets"] {
  const ids = new Set(guarded.map(({ policySet }) => policySet));
  return sets.filter(({ id }) => ids.has(id));
}

function pluginConfig(name: string, rootId: string, configuration: Any, filename: string) {
  return create(PluginConfigSchema, {
    name,
    rootId,
    configuration,
    // After a trap the module answers 503 and starts anew. With FAIL_OPEN the next calls would bypass policy.
    failurePolicy: FailurePolicy.FAIL_RELOAD,
    vm: {
      case: "vmConfig",
      value: {
        vmId: "ambit",
        runtime: "envoy.wasm.runtime.v8",
        code: {
          specifier: { case: "local", value: { specifier: { case: "filename", value: filename } } },
        },
      },
    },
  });
}
