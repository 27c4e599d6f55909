import { ApiVersion, ConfigSourceSchema } from "../../xds/gen/envoy/config/core/v3/config_source_pb.ts";
import { OnDemandCdsSchema } from "../../xds/gen/envoy/extensions/filters/http/on_demand/v3/on_demand_pb.ts";
import { TcpProxy_OnDemandSchema } from "../../xds/gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.ts";
import { create, milliseconds } from "../../xds/proto.ts";

/** Envoy asks for the resource on the ADS stream that named it. */
export function ads() {
  return create(ConfigSourceSchema, {
    configSourceSpecifier: { case: "ads", value: {} },
    resourceApiVersion: ApiVersion.V3,
  });
}

/**
 * How long the first request for a destination waits for its cluster. As a rule the cluster is there within
 * milliseconds. It takes longer while the agent is being replaced, and the caller must not notice that.
 */
const DISCOVERY_TIMEOUT_MS = 30_000;

/** For Envoy's HTTP filter `on_demand`: a request to an unknown cluster waits while Envoy asks for the cluster. */
export function httpOnDemand() {
  return create(OnDemandCdsSchema, { source: ads(), timeout: milliseconds(DISCOVERY_TIMEOUT_MS) });
}

/** The same for tcp_proxy, which needs no filter for it. */
export function tcpOnDemand() {
  return create(TcpProxy_OnDemandSchema, { odcdsConfig: ads(), timeout: milliseconds(DISCOVERY_TIMEOUT_MS) });
}
