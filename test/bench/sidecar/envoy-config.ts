/** Where the sidecars of the benchmark keep what they need to speak mTLS; undefined: they speak plaintext. */
export interface SidecarTls {
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
}

const TYPES = "type.googleapis.com/envoy.extensions";
const HCM = `${TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager`;

/**
 * One sidecar as it is usually configured: both directions redirected, the destination taken from the connection, router and
 * no other filter. `http`: ports that carry HTTP; all others are passed on as bytes.
 */
export function sidecarConfig(adminSocket: string, http: readonly number[], tls: SidecarTls | undefined): unknown {
  return {
    admin: { address: { pipe: { path: adminSocket } } },
    static_resources: {
      listeners: [
        listener("outbound", 15_001, http, undefined),
        listener("inbound", 15_006, http, tls === undefined ? undefined : downstream(tls)),
      ],
      clusters: [cluster("outbound", tls === undefined ? undefined : upstream(tls)), cluster("inbound", undefined)],
    },
  };
}

function listener(name: string, port: number, http: readonly number[], transportSocket: unknown): unknown {
  const secured = transportSocket === undefined ? {} : { transport_socket: transportSocket };
  return {
    name,
    address: { socket_address: { address: "0.0.0.0", port_value: port } },
    listener_filters: [
      {
        name: "envoy.filters.listener.original_dst",
        typed_config: { "@type": `${TYPES}.filters.listener.original_dst.v3.OriginalDst` },
      },
    ],
    filter_chains: http.map((destination) => ({
      filter_chain_match: { destination_port: destination },
      filters: [httpManager(name)],
      ...secured,
    })),
    default_filter_chain: { filters: [tcpProxy(name)], ...secured },
  };
}

function httpManager(name: string): unknown {
  return {
    name: "envoy.filters.network.http_connection_manager",
    typed_config: {
      "@type": HCM,
      stat_prefix: name,
      route_config: {
        virtual_hosts: [
          {
            name: "all",
            domains: ["*"],
            routes: [{ match: { prefix: "/" }, route: { cluster: name, timeout: "0s" } }],
          },
        ],
      },
      http_filters: [
        { name: "envoy.filters.http.router", typed_config: { "@type": `${TYPES}.filters.http.router.v3.Router` } },
      ],
    },
  };
}

function tcpProxy(name: string): unknown {
  return {
    name: "envoy.filters.network.tcp_proxy",
    typed_config: { "@type": `${TYPES}.filters.network.tcp_proxy.v3.TcpProxy`, stat_prefix: name, cluster: name },
  };
}

function cluster(name: string, transportSocket: unknown): unknown {
  return {
    name,
    type: "ORIGINAL_DST",
    lb_policy: "CLUSTER_PROVIDED",
    connect_timeout: "5s",
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": `${TYPES}.upstreams.http.v3.HttpProtocolOptions`,
        use_downstream_protocol_config: { http2_protocol_options: {} },
      },
    },
    ...(transportSocket === undefined ? {} : { transport_socket: transportSocket }),
  };
}

function downstream(tls: SidecarTls): unknown {
  return {
    name: "envoy.transport_sockets.tls",
    typed_config: {
      "@type": `${TYPES}.transport_sockets.tls.v3.DownstreamTlsContext`,
      require_client_certificate: true,
      common_tls_context: commonTls(tls),
    },
  };
}

function upstream(tls: SidecarTls): unknown {
  return {
    name: "envoy.transport_sockets.tls",
    typed_config: {
      "@type": `${TYPES}.transport_sockets.tls.v3.UpstreamTlsContext`,
      common_tls_context: commonTls(tls),
    },
  };
}

function commonTls({ certificate, key, authority }: SidecarTls): unknown {
  return {
    tls_params: { tls_minimum_protocol_version: "TLSv1_3", tls_maximum_protocol_version: "TLSv1_3" },
    tls_certificates: [{ certificate_chain: { filename: certificate }, private_key: { filename: key } }],
    validation_context: { trusted_ca: { filename: authority } },
  };
}
