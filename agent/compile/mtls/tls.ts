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

/**
 * Both ends are this proxy, so one version suffices. Envoy's upstream default is at most 1.2
 * (`tls_maximum_protocol_version`).
 */
const TLS_1_3 = { tlsMinimumProtocolVersion: TlsVersion.TLSv1_3, tlsMaximumProtocolVersion: TlsVersion.TLSv1_3 };

/** Names the certificate that the connection presents upstream: its source's. The mapper in `upstreamTls` reads it. */
export function certificateOf(spiffeId: string): FilterStateObject {
  return { key: "envoy.tls.certificate_mappers.on_demand_secret", value: SECRETS.client(spiffeId) };
}

/**
 * mTLS to another node. All pods share one context; filter state chooses the certificate, and Envoy fetches it on first
 * use.
 */
export function upstreamTls(sni: string, alpn: readonly string[], peersSecret: string) {
  return create(TransportSocketSchema, {
    name: "envoy.transport_sockets.tls",
    configType: {
      case: "typedConfig",
      value: any(UpstreamTlsContextSchema, {
        sni,
        // A resumed session would skip the check of the server's identity.
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
                // A caller without an identity has no certificate. No secret has this name.
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

/** mTLS from callers to a pod, with the pod's own certificate. */
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
