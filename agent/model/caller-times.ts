/**
 * How long Envoy waits for what a caller has to send before it can pass anything on. An application's own server has such limits,
 * and does not see these connections yet.
 */
export interface CallerTimes {
  /** From the connection's beginning to the first byte, where a caller without a certificate uses HTTP and so speaks first. */
  readonly firstByteMs: number;
  /** From the connection's beginning to the end of the handshake of mTLS. */
  readonly handshakeMs: number;
  /**
   * From the first byte of a request to the end of its headers. It does not run on a connection that is idle, and not while a body
   * or an answer is on its way.
   */
  readonly headersMs: number;
}

/** nginx waits as long for headers (`client_header_timeout`). Browsers and balancers open connections before they need them. */
export const DEFAULT_CALLER_TIMES: CallerTimes = { firstByteMs: 300_000, handshakeMs: 10_000, headersMs: 60_000 };
