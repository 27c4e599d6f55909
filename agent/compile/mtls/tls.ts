import { TransportSocketSchema } from "../../xds/gen/envoy/config/core/v3/base_pb.ts";
import { ConfigSchema as FilterStateMapperSchema } from "../../xds/gen/envoy/extensions/transport_sockets/tls/cert_mappers/filter_state_override/v3/config_pb.ts";
import { ConfigSchema as OnDemandSecretSchema } from "../../xds/gen/envoy/extensions/transport_sockets/tls/cert_selectors/on_demand_secret/v3/config_pb.ts";
import { TlsParameters_TlsProtocol as TlsVersion } from "../../xds/gen/envoy/extensions/transport_sockets/tls/v3/common_pb.ts";
import { SdsSecretConfigSchema } from "../../xds/gen/envoy/extensions/transport_sockets/tls/v3/secret_pb.ts";
import {
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "../../xds/gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.ts";
import { any, create } from "../../xds/proto.ts";
import { INBOUND_ALPN } from "./alpn.ts";
import { ads } from "../connection/discovery.ts";
import type { FilterStateObject } from "../connection/filter-state.ts";
import { SECRETS } from "./secrets.ts";

/** Upstream defaults to 1.2 at most (`tls_maximum_protocol_version`); both ends are ours, so there is one version. */
const TLS_1_3 = { tlsMinimumProtocolVersion: TlsVersion.TLSv1_3, tlsMaximumProtocolVersion: TlsVersion.TLSv1_3 };

/** Which certificate a connection presents upstream: its source's. Read by the mapper that `upstreamTls` names. */
export function certificateOf(spiffeId: string): FilterStateObject {
  return { key: "envoy.tls.certificate_mappers.on_demand_secret", value: SECRETS.client(spiffeId) };
}

/** mTLS to another node: one context for all pods, the certificate chosen by filter state and fetched on first use. */
export function upstreamTls(sni: string, alpn: readonly string[], peersSecret: string) {
  return create(TransportSocketSchema, {
    name: "envoy.transport_sockets.tls",
    configType: {
      case: "typedConfig",
      value: any(UpstreamTlsContextSchema, {
        sni,
        // A resumed session would be one without the check of who answers.
        maxSessionKeys: 0,
        commonTlsContext: {
          tlsParams: TLS_1_3,
          alpnProtocols: [...alpn],
          customTlsCertificateSelector: {
            name: "envoy.tls.certificate_selectors.on_demand_secret",
            typedConfig: any(OnDemandSecretSchema, {
              configSource: ads(),
              certificateMapper: {
                name: "envoy.tls.upstream_certificate_mappers.filter_state_override",
                // Who has no identity has no certificate: nobody is asked for one by that name.
                typedConfig: any(FilterStateMapperSchema, { defaultValue: "nobody" }),
              },
            }),
          },
          validationContextType: { case: "validationContextSdsSecretConfig", value: secret(peersSecret) },
        },
      }),
    },
  });
}

/** mTLS that arrives at a pod, under the pod's own certificate. */
export function downstreamTls(spiffeId: string) {
  return create(TransportSocketSchema, {
    name: "envoy.transport_sockets.tls",
    configType: {
      case: "typedConfig",
      value: any(DownstreamTlsContextSchema, {
        requireClientCertificate: true,
        sessionTicketKeysType: { case: "disableStatelessSessionResumption", value: true },
        disableStatefulSessionResumption: true,
        commonTlsContext: {
          tlsParams: TLS_1_3,
          alpnProtocols: [...INBOUND_ALPN],
          tlsCertificateSdsSecretConfigs: [secret(SECRETS.server(spiffeId))],
          validationContextType: { case: "validationContextSdsSecretConfig", value: secret(SECRETS.callers) },
        },
      }),
    },
  });
}

function secret(name: string) {
  return create(SdsSecretConfigSchema, { name, sdsConfig: ads() });
}
