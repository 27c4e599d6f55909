import { createServer, type Server, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { AmbitError, describe } from "./errors.ts";
import { listen, type ListenAt } from "./listen.ts";
import type { Logger } from "./log.ts";

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  /** A large one comes in portions, made as the client takes them. The signal aborts when nobody wants more of them. */
  readonly body: string | ((signal: AbortSignal) => AsyncIterable<string>);
}

export type Handler = (query: URLSearchParams) => Answer | Promise<Answer>;

/** By path: `/path` handles GET and HEAD, `POST /path` handles POST. Paths match exactly. */
export type Handlers = Readonly<Record<string, Handler>>;

/** A client has this long to take an answer. Prometheus gives up after 10 s, unless told otherwise. */
const ANSWER_MS = 30_000;

export function json(value: unknown, status = 200): Answer {
  return { status, contentType: "application/json", body: `${JSON.stringify(value)}\n` };
}

export function text(body: string, status = 200): Answer {
  return { status, contentType: "text/plain; charset=utf-8", body };
}

/**
 * Serves `handlers` until the server is closed. If a handler throws, the answer is 400 for a mistake of the user, else
 * 500 and a line in the log.
 */
export async function serve(
  at: ListenAt,
  handlers: Handlers,
  log: Logger,
  { answerMs = ANSWER_MS } = {},
): Promise<Server> {
  const server = createServer((request, response) => {
    // The class URL would throw for targets like "//", which any client may send.
    const [path = "/", query = ""] = (request.url ?? "/").split("?");
    const { method = "" } = request;
    void answer(method, path, new URLSearchParams(query), handlers, log).then((result) => {
      const late = setTimeout(() => response.destroy(), answerMs);
      response.once("close", () => clearTimeout(late));
      return send(response, result).catch((error: unknown) => {
        // Portions that have been sent cannot be taken back, so the client has to notice.
        response.destroy();
        log.warn({ path, error: describe(error) }, "answer broken off");
      });
    });
  });
  await listen(server, at);
  return server;
}

async function answer(
  method: string,
  path: string,
  query: URLSearchParams,
  handlers: Handlers,
  log: Logger,
): Promise<Answer> {
  const find = (name: string): Handler | undefined => (Object.hasOwn(handlers, name) ? handlers[name] : undefined);
  const [reads, acts] = [find(path), find(`POST ${path}`)];
  if (reads === undefined && acts === undefined) {
    return text(`there is no ${path}; there are ${Object.keys(handlers).join(", ")}\n`, 404);
  }
  const handler = method === "POST" ? acts : method === "GET" || method === "HEAD" ? reads : undefined;
  if (handler === undefined) return text(acts === undefined ? "only GET and HEAD\n" : "only POST\n", 405);
  try {
    return await handler(query);
  } catch (error) {
    if (error instanceof AmbitError && error.kind === "user") return text(`${describe(error)}\n`, 400);
    log.error({ path, error: describe(error) }, "request failed");
    return text(`${describe(error)}\n`, 500);
  }
}

async function send(response: ServerResponse, { status, contentType, body }: Answer): Promise<void> {
  if (typeof body === "string") {
    response.writeHead(status, { "content-type": contentType, "content-length": Buffer.byteLength(body) });
    response.end(body);
    return;
  }
  response.writeHead(status, { "content-type": contentType });
  if (response.req.method === "HEAD") {
    response.end();
    return;
  }
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  // Not in object mode, in which 16 portions would be made ahead.
  await pipeline(Readable.from(body(gone.signal), { objectMode: false }), response);
}
