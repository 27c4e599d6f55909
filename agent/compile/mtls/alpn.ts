/**
 * The application protocols that Istio's sidecars offer to each other (Istio, `pkg/alpn`). By them a server
 * distinguishes the mesh's own TLS from an application's, and HTTP inside it from other bytes. The server never selects
 * an `istio-…` protocol; it selects the last one.
 */
export const ALPN = {
  http1: ["istio-http/1.1", "istio", "http/1.1"],
  http2: ["istio-h2", "istio", "h2"],
  tcp: ["istio"],
} as const;

/** What a pod's inbound listener selects from. */
export const INBOUND_ALPN = ["h2", "http/1.1", "istio"] as const;

/**
 * `ApplicationProtocolInput` gives the offered protocols as `'a','b'`. It begins with the first text for the mesh's own
 * TLS, and with the second one if HTTP is inside.
 */
export const MESH_TLS_PREFIX = "'istio";
export const MESH_HTTP_PREFIX = "'istio-h";
