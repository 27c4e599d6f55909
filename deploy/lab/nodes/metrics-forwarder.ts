import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { messageOf } from "../../../agent/lib/errors.ts";
import { openUnix } from "../../../agent/lib/unix-http.ts";

/** Serves a node's metrics outside its network namespace: on a port of 127.0.0.1, and only `GET /metrics`. */
export class MetricsForwarder {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** `socket`: path of the agent's admin socket; it may appear later. */
  static async open(socket: string): Promise<MetricsForwarder> {
    const server = createServer((incoming, outgoing) => {
      if (incoming.method !== "GET" || incoming.url?.split("?")[0] !== "/metrics") {
        outgoing.writeHead(404).end("only /metrics is here\n");
        return;
      }
      void forward(socket, incoming.headers.accept, outgoing);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new MetricsForwarder(server);
  }

  get url(): string {
    // A server that listens on TCP has an address of this form.
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/metrics`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

async function forward(socket: string, accept: string | undefined, outgoing: ServerResponse): Promise<void> {
  const gone = new AbortController();
  outgoing.on("close", () => gone.abort());
  const headers = accept === undefined ? {} : { accept };
  try {
    const response = await openUnix(socket, "/metrics", { headers, signal: gone.signal });
    outgoing.writeHead(response.statusCode ?? 502, response.headers);
    response.on("error", () => outgoing.destroy());
    response.pipe(outgoing);
  } catch (error) {
    outgoing.writeHead(503).end(`the node's agent does not answer: ${messageOf(error)}\n`);
  }
}
