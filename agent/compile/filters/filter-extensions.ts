import {
  TypedExtensionConfigSchema,
  type TypedExtensionConfig,
} from "../../xds/gen/envoy/config/core/v3/extension_pb.ts";
import { WasmSchema as HttpWasmSchema } from "../../xds/gen/envoy/extensions/filters/http/wasm/v3/wasm_pb.ts";
import { WasmSchema as NetworkWasmSchema } from "../../xds/gen/envoy/extensions/filters/network/wasm/v3/wasm_pb.ts";
import { FailurePolicy, PluginConfigSchema } from "../../xds/gen/envoy/extensions/wasm/v3/wasm_pb.ts";
import { any, create, StringValueSchema, type Any } from "../../xds/proto.ts";
import type { FilterConfig } from "./filter-config.ts";
import { FILTERS } from "../names.ts";

let last: { readonly key: string; readonly made: readonly TypedExtensionConfig[] } | undefined;

type Place = keyof typeof FILTERS;

/**
 * Envoy keeps a plugin as long as a request of its time is under way, and takes it again where one of the same name and
 * configuration comes: it is not configured anew then, and the module goes on with what came in between. So whatever goes
 * back to what it was has another name than it had, in this agent's life and after it.
 */
const lastOf = new Map<Place, { readonly key: string; readonly made: TypedExtensionConfig }>();
const began = Date.now().toString(36);
let revisions = 0;

/** The built-in filters as ECDS resources: one module in one VM, six places in the path. */
export function filterExtensions(config: FilterConfig, modulePath: string): readonly TypedExtensionConfig[] {
  const key = JSON.stringify([modulePath, config]);
  // It is large, and changes rarely: the same messages need not be encoded again.
  if (last?.key !== key) last = { key, made: makeExtensions(config, modulePath) };
  return last.made;
}

const NETWORK_PLACES: readonly Place[] = ["outboundTcp", "inboundTcp", "guard"];

function makeExtensions(config: FilterConfig, modulePath: string): readonly TypedExtensionConfig[] {
  return (["outbound", "outboundRouted", "inbound", "outboundTcp", "inboundTcp", "guard"] as const).map((place) => {
    const text = JSON.stringify(toldTo(place, config));
    const key = `${modulePath} ${text}`;
    const known = lastOf.get(place);
    if (known?.key === key) return known.made;
    const made = makeExtension(place, text, modulePath);
    lastOf.set(place, { key, made });
    return made;
  });
}

function makeExtension(place: Place, text: string, modulePath: string): TypedExtensionConfig {
  const { resource, rootId } = FILTERS[place];
  const configuration = any(StringValueSchema, { value: text });
  const plugin = pluginConfig(`${rootId} ${began}-${++revisions}`, rootId, configuration, modulePath);
  return create(TypedExtensionConfigSchema, {
    name: resource,
    typedConfig: NETWORK_PLACES.includes(place)
      ? any(NetworkWasmSchema, { config: plugin })
      : any(HttpWasmSchema, { config: plugin }),
  });
}

/** Envoy keeps a copy for each filter of each listener, so nobody is told what only others need. */
function toldTo(place: Place, { tcpPolicySets, ...config }: FilterConfig): Omit<FilterConfig, "tcpPolicySets"> {
  const { cluster, clusters, pods, peers, retryBudgets } = config;
  const nothing = { policySets: [], jwtRules: [], clusters: [], pods: [], peers: [], retryBudgets: [] };
  const common = { cluster, ...nothing };
  switch (place) {
    case "outbound":
      return { ...common, ...guarding(config, clusters), clusters };
    case "outboundRouted":
      // Only routes ask for retries.
      return { ...common, ...guarding(config, clusters), clusters, retryBudgets };
    case "inbound":
      return { ...common, ...guarding(config, pods), pods };
    case "outboundTcp":
    case "inboundTcp":
      return common;
    case "guard":
      return { ...common, policySets: setsOf(tcpPolicySets, pods), pods, peers };
  }
}

type Guarded = readonly { readonly policySet: string }[];

/** The sets by which those are guarded, and the rules for tokens that the sets name. */
function guarding(
  config: Pick<FilterConfig, "policySets" | "jwtRules">,
  guarded: Guarded,
): Pick<FilterConfig, "policySets" | "jwtRules"> {
  const policySets = setsOf(config.policySets, guarded);
  const ids = new Set(policySets.flatMap((set) => set.jwtRules));
  return { policySets, jwtRules: config.jwtRules.filter(({ id }) => ids.has(id)) };
}

function setsOf(sets: FilterConfig["policySets"], guarded: Guarded): FilterConfig["policySets"] {
  const ids = new Set(guarded.map(({ policySet }) => policySet));
  return sets.filter(({ id }) => ids.has(id));
}

function pluginConfig(name: string, rootId: string, configuration: Any, filename: string) {
  return create(PluginConfigSchema, {
    name,
    rootId,
    configuration,
    // A trap answers 503 and the module starts afresh. FAIL_OPEN would let the calls after it bypass the policy.
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
