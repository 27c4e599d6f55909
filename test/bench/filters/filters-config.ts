import type { PlaceConfig } from "../../../agent/compile/filters/filter-extensions.ts";
import type { PolicyAttribute, PolicyCondition } from "../../../agent/model/authorization-policy.ts";
import { DEFAULT_CALLER_TIMES } from "../../../agent/model/caller-times.ts";
import { DEFAULT_SERIES_LIMITS } from "../../../agent/model/series-limits.ts";

const TYPES = "type.googleapis.com/envoy.extensions";
const HCM = `${TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager`;
const STRING = "type.googleapis.com/google.protobuf.StringValue";

export const BODY = "ambit-bench-".repeat(86).slice(0, 1024);

/** What one Envoy of the comparison does with a request. */
export interface FilterSetup {
  readonly port: number;
  readonly adminSocket: string;
  /** Where it passes requests on; undefined: it answers by itself. */
  readonly upstream: number | undefined;
  readonly module: { readonly file: string; readonly rootId: string; readonly configuration: string } | undefined;
}

const CLUSTER = "10.96.0.10:80";

/** A workload as the agent describes it (agent/compile/filters/peer-string.ts). */
const peer = (name: string): string =>
  `uid-${name}|${name}-5f6d7c8b9-abcde|shop|${name}|${name}|v1|${name}|v1|cluster.local/ns/shop/sa/${name}`;

/** What the built-in filters are told: one ALLOW policy, by who calls and what; rules for tokens; no route with retries. */
export function policyConfiguration(...jwtRules: PlaceConfig["jwtRules"]): string {
  const condition = (attribute: PolicyAttribute, ...values: readonly string[]): PolicyCondition => ({
    attribute,
    path: [],
    values,
    notValues: [],
  });
  const rule = {
    from: [[condition("source.principal", "cluster.local/ns/shop/sa/alice")]],
    to: [[condition("request.method", "GET"), condition("request.path", "/bench*")]],
    when: [],
  };
  const policies = [{ name: "shop/allow", action: "ALLOW", dryRun: false, alwaysDeny: false, rules: [rule] } as const];
  const config: PlaceConfig = {
    cluster: "Kubernetes",
    firstByteMs: DEFAULT_CALLER_TIMES.firstByteMs,
    series: DEFAULT_SERIES_LIMITS,
    policySets: [{ id: "shop/allow", policies, jwtRules: jwtRules.map(({ id }) => id) }],
    jwtRules,
    clusters: [{ name: CLUSTER, policySet: "shop/allow", port: 80 }],
    pods: [],
    unguarded: [],
    peers: [],
    retryBudgets: [],
  };
  return JSON.stringify(config);
}

/** As `alice` calls `web`, whose pod is on the same node: both sides are reported. */
export function filterEnvoy({ port, adminSocket, upstream, module }: FilterSetup): unknown {
  const action =
    upstream === undefined
      ? { direct_response: { status: 200, body: { inline_string: BODY } } }
      : { route: { cluster: CLUSTER, timeout: "0s" } };
  const header = { header: { key: "x-app", value: "bench" }, append_action: "OVERWRITE_IF_EXISTS_OR_ADD" };
  const state = (key: string, value: string): unknown => ({
    object_key: key,
    factory_key: "envoy.string",
    format_string: { text_format_source: { inline_string: value } },
  });
  const router = {
    name: "router",
    typed_config: { "@type": `${TYPES}.filters.http.router.v3.Router`, suppress_envoy_headers: true },
  };
  const manager = {
    "@type": HCM,
    stat_prefix: "bench",
    generate_request_id: false,
    // What the agent gives the filters by headers (agent/compile/http/http-connection-manager.ts) is part of what they cost.
    early_header_mutation_extensions: module === undefined ? [] : [listenersWord()],
    route_config: {
      request_headers_to_remove: module === undefined ? [] : ["x-ambit-source", "x-ambit-original-dst"],
      virtual_hosts: [
        {
          name: "all",
          domains: ["*"],
          routes: [
            { match: { prefix: "/" }, ...action, response_headers_to_add: upstream === undefined ? [header] : [] },
          ],
        },
      ],
    },
    http_filters: [...(module === undefined ? [] : [wasm(module)]), router],
  };
  return {
    admin: { address: { pipe: { path: adminSocket } } },
    static_resources: {
      listeners: [
        {
          name: "bench",
          address: { socket_address: { address: "127.0.0.1", port_value: port } },
          listener_filters: [
            {
              name: "envoy.filters.listener.set_filter_state",
              typed_config: {
                "@type": `${TYPES}.filters.listener.set_filter_state.v3.Config`,
                on_accept: [state("ambit.source", peer("alice")), state("ambit.peer_ip", "10.0.0.1")],
              },
            },
          ],
          filter_chains: [{ filters: [{ name: "http", typed_config: manager }] }],
        },
      ],
      clusters: upstream === undefined ? [] : [cluster(upstream)],
    },
  };
}

function listenersWord(): unknown {
  const overwrite = (key: string, value: string): unknown => ({
    append: { header: { key, value }, append_action: "OVERWRITE_IF_EXISTS_OR_ADD" },
  });
  return {
    name: "listener",
    typed_config: {
      "@type": `${TYPES}.http.early_header_mutation.header_mutation.v3.HeaderMutation`,
      mutations: [overwrite("x-ambit-source", peer("alice")), overwrite("x-ambit-original-dst", CLUSTER)],
    },
  };
}

function wasm({ file, rootId, configuration }: NonNullable<FilterSetup["module"]>): unknown {
  return {
    name: "wasm",
    typed_config: {
      "@type": `${TYPES}.filters.http.wasm.v3.Wasm`,
      config: {
        name: rootId,
        root_id: rootId,
        // As the agent has it (agent/compile/filters/filter-extensions.ts).
        failure_policy: "FAIL_RELOAD",
        configuration: { "@type": STRING, value: configuration },
        vm_config: { vm_id: "ambit", runtime: "envoy.wasm.runtime.v8", code: { local: { filename: file } } },
      },
    },
  };
}

function cluster(upstream: number): unknown {
  return {
    name: CLUSTER,
    type: "STATIC",
    connect_timeout: "1s",
    metadata: { filter_metadata: { ambit: { service: "web|shop|web.shop.svc.cluster.local", port: "80" } } },
    load_assignment: {
      cluster_name: CLUSTER,
      endpoints: [
        {
          lb_endpoints: [
            {
              endpoint: { address: { socket_address: { address: "127.0.0.1", port_value: upstream } } },
              metadata: { filter_metadata: { ambit: { netns: "/run/netns/x", peer: `${peer("web")}|near` } } },
            },
          ],
        },
      ],
    },
  };
}
