import { request, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";

/** HTTP over a unix socket, the client. The server is `serve` in http-server.ts. */

export interface UnixRequest {
  readonly method?: "GET" | "POST";
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
  /** Gives up once the connection has been silent for so long. Without it the request waits for ever. */
  readonly timeoutMs?: number;
  /** Gives up when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

export interface UnixAnswer {
  readonly status: number;
  readonly body: string;
}

/** Sends a request over a connection of its own and reads the whole answer. Rejects where there is none in time. */
export async function askUnix(socketPath: string, path: string, options: UnixRequest = {}): Promise<UnixAnswer> {
  const response = await openUnix(socketPath, path, options);
  const parts: Buffer[] = [];
  for await (const part of response as AsyncIterable<Buffer>) parts.push(part);
  return { status: response.statusCode ?? 0, body: Buffer.concat(parts).toString("utf8") };
}

/** Resolves with the answer once its head is here; the body is for the caller to read. Destroying it ends the connection. */
export function openUnix(socketPath: string, path: string, options: UnixRequest = {}): Promise<IncomingMessage> {
  const { method = "GET", headers = {}, body, timeoutMs, signal } = options;
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path, method, headers, agent: false, timeout: timeoutMs, signal }, resolve);
    call.on("timeout", () => call.destroy(new Error(`no answer from ${socketPath} within ${timeoutMs} ms`)));
    call.on("error", reject);
    call.end(body);
  });
}
