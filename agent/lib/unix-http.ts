import { request, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";

/** A client for HTTP over a unix socket. The server is `serve` in http-server.ts. */

export interface UnixRequest {
  readonly method?: "GET" | "POST";
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
  /** The request fails if the connection is silent for this long. Without it the request waits for ever. */
  readonly timeoutMs?: number;
  /** The request fails when this signal aborts. */
  readonly signal?: AbortSignal | undefined;
}

export interface UnixAnswer {
  readonly status: number;
  readonly body: string;
}

/** Sends a request over a new connection and reads the whole answer. Rejects if no answer comes in time. */
export async function askUnix(socketPath: string, path: string, options: UnixRequest = {}): Promise<UnixAnswer> {
  const response = await openUnix(socketPath, path, options);
  const parts: Buffer[] = [];
  for await (const part of response as AsyncIterable<Buffer>) parts.push(part);
  return { status: response.statusCode ?? 0, body: Buffer.concat(parts).toString("utf8") };
}

/**
 * Resolves when the head of the answer has arrived. The caller reads the body, or destroys the message to close the
 * connection.
 */
export function openUnix(socketPath: string, path: string, options: UnixRequest = {}): Promise<IncomingMessage> {
  const { method = "GET", headers = {}, body, timeoutMs, signal } = options;
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path, method, headers, agent: false, timeout: timeoutMs, signal }, resolve);
    call.on("timeout", () => call.destroy(new Error(`no answer from ${socketPath} within ${timeoutMs} ms`)));
    call.on("error", reject);
    call.end(body);
  });
}
