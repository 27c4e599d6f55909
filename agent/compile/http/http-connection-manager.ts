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
import type { CallerTimes } from "../../model/caller-times.ts";
import { any, create, milliseconds, typeUrl } from "../../xds/proto.ts";
import { DESTINATION_HEADER, FILTERS, ORIGINAL_DST_HEADER, ROUTES, SOURCE_HEADER } from "../view/names.ts";
import type { AccessLogs } from "../connection/access-log.ts";
import { ads, httpOnDemand } from "../connection/discovery.ts";
import { DESTINATION, SOURCE } from "../connection/filter-state.ts";
import { downstreamConnectionOptions, http1Options, http2Options } from "./http-options.ts";

/** Headers that control Envoy's router. An application must not control it, so the listener removes them. */
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

/** What the connection managers of a node have in common. */
export interface HttpOptions {
  readonly logs: AccessLogs;
  readonly times: CallerTimes;
}

/**
 * How long a finished answer may wait for a client that does not read it. Near the limit of its heap, Envoy waits a second
 * (agent/envoy/bootstrap.ts): it does not count the headers of such requests to the streams that it resets. The timer runs for
 * no other stream.
 */
const FLUSH_MS = 3_600_000;

/** How the filters learn the caller. A request header is the cheapest way. */
export type Caller =
  /** The pod that owns this listener. `peer`: its peer string. */
  | { readonly kind: "pod"; readonly peer: string }
  /** The pod through whose outbound listener the call came, before it went on to this internal listener. */
  | { readonly kind: "filter-state" }
  /** The owner of the certificate: its SPIFFE ID, with the address of the connection. */
  | { readonly kind: "certificate"; readonly destination: string }
  | { readonly kind: "nobody"; readonly destination: string };

/** What the listener knows, as headers. It overwrites what the application sent, and the route table removes them. */
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

/** The L7 part of the path. All pods of the node share one route table (RDS) and one set of filters (ECDS). */
export function httpConnectionManager(
  direction: "outbound" | "inbound",
  { logs, times }: HttpOptions,
  caller: Caller,
): Filter {
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
        // The application sees no change that it did not ask for: no identity in headers, no time limits.
        serverHeaderTransformation: ServerHeader.PASS_THROUGH,
        generateRequestId: false,
        preserveExternalRequestId: true,
        skipXffAppend: true,
        proxy100Continue: true,
        streamIdleTimeout: milliseconds(0),
        streamFlushTimeout: milliseconds(FLUSH_MS),
        requestTimeout: milliseconds(0),
        requestHeadersTimeout: milliseconds(times.headersMs),
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
 * X-Forwarded-Client-Cert as Istio's sidecars set it: with mTLS Envoy adds the caller's URI and the hash of its
 * certificate to the header that the caller's own proxy sent. Without mTLS Envoy removes the header (its default).
 */
function clientCertificate({ kind }: Caller) {
  if (kind !== "certificate") return {};
  return {
    forwardClientCertDetails: ForwardClientCert.APPEND_FORWARD,
    setCurrentClientCertDetails: create(ClientCertDetailsSchema, { subject: true, uri: true, dns: true }),
  };
}

/** Whatever an application sends under that name is lost. */
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

/** Comes before all other filters, as they read metadata of the request's cluster. */
function onDemandFilter(): HttpFilter {
  return create(HttpFilterSchema, {
    name: "envoy.filters.http.on_demand",
    configType: { case: "typedConfig", value: any(OnDemandSchema, { odcds: httpOnDemand() }) },
  });
}
