import {
  HeaderMutationSchema as MutationSchema,
  type HeaderMutation,
} from "../../xds/gen/envoy/config/common/mutation_rules/v3/mutation_rules_pb.ts";
import { HeaderValueOption_HeaderAppendAction as AppendAction } from "../../xds/gen/envoy/config/core/v3/base_pb.ts";
import { FilterSchema, type Filter } from "../../xds/gen/envoy/config/listener/v3/listener_components_pb.ts";
import { HeaderMutationSchema } from "../../xds/gen/envoy/extensions/http/early_header_mutation/header_mutation/v3/header_mutation_pb.ts";
import { OnDemandSchema } from "../../xds/gen/envoy/extensions/filters/http/on_demand/v3/on_demand_pb.ts";
import { RouterSchema } from "../../xds/gen/envoy/extensions/filters/http/router/v3/router_pb.ts";
import { WasmSchema } from "../../xds/gen/envoy/extensions/filters/http/wasm/v3/wasm_pb.ts";
import {
  HttpConnectionManager_ForwardClientCertDetails as ForwardClientCert,
  HttpConnectionManager_SetCurrentClientCertDetailsSchema as ClientCertDetailsSchema,
  HttpConnectionManager_ServerHeaderTransformation as ServerHeader,
  HttpConnectionManagerSchema,
  HttpFilterSchema,
  type HttpFilter,
} from "../../xds/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import { any, create, milliseconds, typeUrl } from "../../xds/proto.ts";
import { DESTINATION_HEADER, FILTERS, ORIGINAL_DST_HEADER, ROUTES, SOURCE_HEADER } from "../view/names.ts";
import type { AccessLogs } from "../connection/access-log.ts";
import { ads, httpOnDemand } from "../connection/discovery.ts";
import { DESTINATION, SOURCE } from "../connection/filter-state.ts";
import { downstreamConnectionOptions, http1Options, http2Options } from "./http-options.ts";

/** Headers by which Envoy's router takes orders. From an application they are not orders. */
const ROUTER_ORDERS = [
  "x-envoy-max-retries",
  "x-envoy-retry-on",
  "x-envoy-retry-grpc-on",
  "x-envoy-retriable-status-codes",
  "x-envoy-retriable-header-names",
  "x-envoy-hedge-on-per-try-timeout",
  "x-envoy-upstream-rq-timeout-ms",
  "x-envoy-upstream-rq-per-try-timeout-ms",
  "x-envoy-upstream-rq-timeout-alt-response",
  "x-envoy-upstream-alt-stat-name",
  "x-envoy-expected-rq-timeout-ms",
  "x-envoy-upstream-stream-duration-ms",
  "x-envoy-decorator-operation",
];

/** Who calls, for the filters: a header of the request costs them less than anything else that says the same. */
export type Caller =
  /** The pod whose listener this is, as a peer string. */
  | { readonly kind: "pod"; readonly peer: string }
  /** The pod whose listener the call came through; it goes on in an internal listener. */
  | { readonly kind: "filter-state" }
  /** Who the certificate says: a SPIFFE ID, and the address that it came from. */
  | { readonly kind: "certificate"; readonly destination: string }
  | { readonly kind: "nobody"; readonly destination: string };

/** What the listener knows, in headers that it overwrites and the route table removes. */
function knownHeaders(caller: Caller): readonly HeaderMutation[] {
  switch (caller.kind) {
    case "pod":
      return [overwrite(ORIGINAL_DST_HEADER, "%DOWNSTREAM_LOCAL_ADDRESS%"), overwrite(SOURCE_HEADER, caller.peer)];
    case "filter-state":
      return [
        overwrite(SOURCE_HEADER, `%FILTER_STATE(${SOURCE}:PLAIN)%`),
        overwrite(DESTINATION_HEADER, `%FILTER_STATE(${DESTINATION}:PLAIN)%`),
      ];
    case "certificate":
      return [
        overwrite(SOURCE_HEADER, "%DOWNSTREAM_PEER_URI_SAN%|%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"),
        overwrite(DESTINATION_HEADER, caller.destination),
      ];
    case "nobody":
      return [overwrite(SOURCE_HEADER, "-"), overwrite(DESTINATION_HEADER, caller.destination)];
  }
}

/** The L7 part of the path: one route table and one chain of filters for all pods of the node, both by reference. */
export function httpConnectionManager(direction: "outbound" | "inbound", logs: AccessLogs, caller: Caller): Filter {
  const mutations = [
    ...knownHeaders(caller),
    ...ROUTER_ORDERS.map((header) => create(MutationSchema, { action: { case: "remove", value: header } })),
  ];
  return create(FilterSchema, {
    name: "envoy.filters.network.http_connection_manager",
    configType: {
      case: "typedConfig",
      value: any(HttpConnectionManagerSchema, {
        statPrefix: direction,
        routeSpecifier: { case: "rds", value: { routeConfigName: ROUTES[direction], configSource: ads() } },
        earlyHeaderMutationExtensions: [
          { name: "original_destination", typedConfig: any(HeaderMutationSchema, { mutations }) },
        ],
        httpFilters: [
          ...(direction === "outbound" ? [onDemandFilter()] : []),
          wasmFilter(FILTERS[direction].resource),
          ...(direction === "outbound" ? [wasmFilter(FILTERS.outboundRouted.resource)] : []),
          {
            name: "envoy.filters.http.router",
            configType: { case: "typedConfig", value: any(RouterSchema, { suppressEnvoyHeaders: true }) },
          },
        ],
        accessLog: logs(direction, "http"),
        ...clientCertificate(caller),
        // Nothing changes for the application that it did not ask for: no identity of ours in headers, no limits on time.
        serverHeaderTransformation: ServerHeader.PASS_THROUGH,
        generateRequestId: false,
        preserveExternalRequestId: true,
        skipXffAppend: true,
        proxy100Continue: true,
        streamIdleTimeout: milliseconds(0),
        requestTimeout: milliseconds(0),
        commonHttpProtocolOptions: downstreamConnectionOptions(),
        httpProtocolOptions: http1Options(),
        http2ProtocolOptions: http2Options(),
        upgradeConfigs: [{ upgradeType: "websocket" }],
        maxRequestHeadersKb: 96,
      }),
    },
  });
}

/**
 * X-Forwarded-Client-Cert as Istio's sidecars set it: behind mTLS the caller's URI and the hash of its certificate, added
 * to what the caller's own proxy let through; else what a caller sent under that name is removed (Envoy's default).
 */
function clientCertificate({ kind }: Caller) {
  if (kind !== "certificate") return {};
  return {
    forwardClientCertDetails: ForwardClientCert.APPEND_FORWARD,
    setCurrentClientCertDetails: create(ClientCertDetailsSchema, { subject: true, uri: true, dns: true }),
  };
}

/** What an application sent under that name says nothing. */
function overwrite(key: string, value: string): HeaderMutation {
  return create(MutationSchema, {
    action: {
      case: "append",
      value: { header: { key, value }, appendAction: AppendAction.OVERWRITE_IF_EXISTS_OR_ADD },
    },
  });
}

function wasmFilter(name: string): HttpFilter {
  return create(HttpFilterSchema, {
    name,
    configType: { case: "configDiscovery", value: { configSource: ads(), typeUrls: [typeUrl(WasmSchema)] } },
  });
}

/** Before all others: what they ask of the request's cluster has to be there. */
function onDemandFilter(): HttpFilter {
  return create(HttpFilterSchema, {
    name: "envoy.filters.http.on_demand",
    configType: { case: "typedConfig", value: any(OnDemandSchema, { odcds: httpOnDemand() }) },
  });
}
