import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";

/** Brings a node's metrics out of its network namespace: `GET /metrics` on a port of 127.0.0.1, and nothing else of the agent's API. */
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
      const { accept } = incoming.headers;
      const call = request({ socketPath: socket, path: "/metrics", agent: false, headers: accept ? { accept } : {} });
      call.on("response", (response) => {
        outgoing.writeHead(response.statusCode ?? 502, response.headers);
        response.on("error", () => outgoing.destroy());
        response.pipe(outgoing);
      });
      call.on("error", (error) => {
        if (outgoing.headersSent) outgoing.destroy();
        else outgoing.writeHead(503).end(`the node's agent does not answer: ${error.message}\n`);
      });
      outgoing.on("close", () => call.destroy());
      call.end();
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
