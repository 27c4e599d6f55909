/** What an Envoy is started with. It asks the agent for everything else. */
export interface BootstrapOptions {
  readonly node: string;
  /** Unix sockets: paths shorter than 108 bytes. */
  readonly adsSocket: string;
  readonly adminSocket: string;
}

const RECONNECT = { retry_back_off: { base_interval: "0.1s", max_interval: "1s" } };

/** Envoy's bootstrap as JSON. Admin and ADS are unix sockets, so that nothing but the agent's user reaches them. */
export function bootstrap({ node, adsSocket, adminSocket }: BootstrapOptions): unknown {
  return {
    node: { id: node, cluster: "ambit" },
    admin: { address: { pipe: { path: adminSocket, mode: 0o600 } } },
    // Deliveries on this node go through internal listeners, which have no socket.
    bootstrap_extensions: [
      {
        name: "envoy.bootstrap.internal_listener",
        typed_config: {
          "@type": "type.googleapis.com/envoy.extensions.bootstrap.internal_listener.v3.InternalListener",
        },
      },
    ],
    dynamic_resources: {
      ads_config: {
        api_type: "DELTA_GRPC",
        transport_api_version: "V3",
        set_node_on_first_message_only: true,
        // Envoy's own back-off grows to 30 s. With this one it finds an agent that comes back within a second.
        grpc_services: [{ envoy_grpc: { cluster_name: "ads", retry_policy: RECONNECT } }],
      },
      lds_config: { ads: {}, resource_api_version: "V3" },
      cds_config: { ads: {}, resource_api_version: "V3" },
    },
    static_resources: {
      clusters: [
        {
          name: "ads",
          type: "STATIC",
          connect_timeout: "1s",
          typed_extension_protocol_options: {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
              "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
              explicit_http_config: { http2_protocol_options: {} },
            },
          },
          load_assignment: {
            cluster_name: "ads",
            endpoints: [{ lb_endpoints: [{ endpoint: { address: { pipe: { path: adsSocket } } } }] }],
          },
        },
      ],
    },
  };
}
