import {
  Http1ProtocolOptionsSchema,
  Http2ProtocolOptionsSchema,
  HttpProtocolOptionsSchema as CommonHttpProtocolOptionsSchema,
} from "../../xds/gen/envoy/config/core/v3/protocol_pb.ts";
import { PreserveCaseFormatterConfigSchema } from "../../xds/gen/envoy/extensions/http/header_formatters/preserve_case/v3/preserve_case_pb.ts";
import { HttpProtocolOptionsSchema } from "../../xds/gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.ts";
import { any, create, milliseconds, type Any } from "../../xds/proto.ts";

/** Header case and trailers pass unchanged: they belong to the application. */
export function http1Options() {
  return create(Http1ProtocolOptionsSchema, {
    headerKeyFormat: {
      headerFormat: {
        case: "statefulFormatter",
        value: { name: "preserve_case", typedConfig: any(PreserveCaseFormatterConfigSchema) },
      },
    },
    enableTrailers: true,
    acceptHttp10: true,
    defaultHostForHttp10: "ambit.invalid",
  });
}

export function http2Options() {
  return create(Http2ProtocolOptionsSchema, {
    // Extended CONNECT (RFC 8441): WebSocket over HTTP/2.
    allowConnect: true,
    maxConcurrentStreams: MAX_STREAMS,
    initialStreamWindowSize: STREAM_WINDOW,
    initialConnectionWindowSize: CONNECTION_WINDOW,
  });
}

/** Callers decide how long their idle connections live (Envoy's default ends them after an hour). */
export function downstreamConnectionOptions() {
  return create(CommonHttpProtocolOptionsSchema, { idleTimeout: milliseconds(0), maxHeadersCount: MAX_HEADERS });
}

/**
 * Of a request and of a response. Envoy's own default is 100. Each header costs Envoy time at each hop: with 1,000 of them, eight
 * requests at a time of one tenant made the slowest calls of others five times as slow.
 */
const MAX_HEADERS = 256;

/** Requests at a time on one HTTP/2 connection. A client that has more waits, or opens another connection. */
const MAX_STREAMS = 1024;
/**
 * What the other end may send before Envoy has passed it on. Envoy must hold so much for each stream and connection whose
 * receiver does not read; its own defaults are 16 and 24 MiB.
 */
const STREAM_WINDOW = 1 << 20;
const CONNECTION_WINDOW = 4 << 20;

/** A pooled connection keeps the network namespace of an ended pod alive, so unused ones are closed. */
const UPSTREAM_IDLE_MS = 60_000;

/** Upstream connections use the caller's protocol: HTTP/1.1 stays HTTP/1.1, gRPC stays HTTP/2. */
export function upstreamHttpOptions(): Record<string, Any> {
  return {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": any(HttpProtocolOptionsSchema, {
      commonHttpProtocolOptions: { idleTimeout: milliseconds(UPSTREAM_IDLE_MS), maxHeadersCount: MAX_HEADERS },
      upstreamProtocolOptions: {
        case: "useDownstreamProtocolConfig",
        value: { httpProtocolOptions: http1Options(), http2ProtocolOptions: http2Options() },
      },
    }),
  };
}
