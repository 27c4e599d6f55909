import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { Duplex } from "node:stream";
import { AmbitError, describe, messageOf } from "../../lib/errors.ts";
import { listen, type ListenAt } from "../../lib/listen.ts";
import type { Logger } from "../../lib/log.ts";
import type { Authority } from "./authority.ts";
import type { ExchangeService } from "./exchange-service.ts";
import {
  parseExchangeQuestion,
  parseExchangeReport,
  parseNodeReport,
  parseSignRequest,
  readRequest,
} from "./requests.ts";
import { EXCHANGE_PATH, NODE_HEADER, REPORT_PATH, SIGN_PATH, WATCH_PATH, type Refusal } from "../authority-protocol.ts";
import type { ServerIdentity } from "./server-identity.ts";

export interface AuthorityServer {
  close(): void;
}

/** What the authority does for agents. */
export interface AuthorityServices {
  readonly authority: Authority;
  readonly exchange: ExchangeService;
}

/** Serves agents until closed. No request ends it. */
export async function serveAuthority(
  services: AuthorityServices,
  at: ListenAt,
  { pem }: ServerIdentity,
  log: Logger,
): Promise<AuthorityServer> {
  const server = createServer(
    { key: pem, cert: pem, minVersion: "TLSv1.3", handshakeTimeout: 10_000 },
    (request, response) => {
      void answer(services, request, response, log);
    },
  );
  // For the whole request to arrive. The time until its answer does not count.
  server.requestTimeout = 10_000;
  server.on("tlsClientError", (error) => log.debug({ error: messageOf(error) }, "no TLS with a client"));
  // `closeAllConnections` leaves out those whose handshake is under way; such a one would be served after the end.
  const open = new Set<Duplex>();
  server.on("connection", (socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  await listen(server, at);
  server.on("error", (error) => log.error({ error: messageOf(error) }, "server failed"));
  return {
    close: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

async function answer(
  services: AuthorityServices,
  request: IncomingMessage,
  response: ServerResponse,
  log: Logger,
): Promise<void> {
  const node = String(request.headers[NODE_HEADER] ?? "");
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  try {
    services.authority.authenticate(node, /^Bearer (.+)$/u.exec(request.headers.authorization ?? "")?.[1] ?? "");
    const body = await readRequest(request);
    send(response, 200, await act(services, request, node, body, gone.signal, log));
  } catch (error) {
    const status = statusOf(error);
    log[status === 500 ? "error" : "warn"]({ node, path: request.url, error: describe(error) }, "refused");
    // The rest of the body is not read, so that a client cannot send without end.
    response.setHeader("connection", "close");
    send(response, status, toRefusal(error));
  }
}

async function act(
  { authority, exchange }: AuthorityServices,
  { method, url }: IncomingMessage,
  node: string,
  body: string,
  signal: AbortSignal,
  log: Logger,
): Promise<unknown> {
  const call = `${method} ${url}`;
  if (call === `POST ${SIGN_PATH}`) {
    const wanted = parseSignRequest(body);
    const answered = await authority.sign(node, wanted);
    log.info({ node, spiffeId: wanted.spiffeId, generation: answered.generation }, "certificate signed");
    return answered;
  }
  if (call === `POST ${WATCH_PATH}`) return await authority.watch(node, parseNodeReport(body), signal);
  if (call === `POST ${REPORT_PATH}`) return exchange.report(node, parseExchangeReport(body));
  if (call === `POST ${EXCHANGE_PATH}`) return await exchange.exchange(node, parseExchangeQuestion(body), signal);
  throw new AmbitError({
    code: "no-such-path",
    kind: "user",
    what: `the authority has no ${call}`,
    remedy: "use an agent of the same version as the authority",
  });
}

const STATUS: Readonly<Record<string, number>> = {
  "not-authenticated": 401,
  "identity-unknown": 403,
  "identity-elsewhere": 403,
  "no-such-path": 404,
  "bad-request": 400,
};

function statusOf(error: unknown): number {
  return error instanceof AmbitError ? (STATUS[error.code] ?? 500) : 500;
}

function toRefusal(error: unknown): Refusal {
  if (error instanceof AmbitError) {
    const { code, kind, message: what, why, remedy } = error;
    return { code, kind, what, why, remedy };
  }
  return { code: "authority-failed", kind: "system", what: "the authority failed", remedy: "see its log" };
}

function send(response: ServerResponse, status: number, value: unknown): void {
  if (response.destroyed || response.headersSent) return;
  const body = JSON.stringify(value);
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  response.end(body);
}
