/**
 * The application protocols that Istio's sidecars offer to each other, so that a server can tell the mesh's own TLS, and
 * what is inside, from an application's: `istio-…` is never negotiated, only looked at; the last one is (Istio, `pkg/alpn`).
 */
export const ALPN = {
  http1: ["istio-http/1.1", "istio", "http/1.1"],
  http2: ["istio-h2", "istio", "h2"],
  tcp: ["istio"],
} as const;

/** What a pod's inbound listener negotiates. */
export const INBOUND_ALPN = ["h2", "http/1.1", "istio"] as const;

/**
 * The beginning of what `ApplicationProtocolInput` gives (`'a','b'`) where the mesh's own TLS is offered, and where HTTP is
 * inside it.
 */
export const MESH_TLS_PREFIX = "'istio";
export const MESH_HTTP_PREFIX = "'istio-h";
