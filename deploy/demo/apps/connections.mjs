// Keep-alive connections with an age limit. A pod that joins or leaves the mesh keeps its open connections on their old
// path, so that only a new connection takes the new one.
import { Agent, request } from "node:http";

const MAX_AGE_MS = 2000;
const IDLE_MS = 1000;

export class Connections {
  #agent = newAgent();
  #born = Date.now();

  /** The next requests open new connections. */
  renew() {
    this.#agent = newAgent(); // Sockets of the old one close when they have been idle for a second.
    this.#born = Date.now();
  }

  /**
   * @param {string} url
   * @returns {Promise<{ status: number, body: string }>} status 0 where no answer came
   */
  get(url) {
    if (Date.now() - this.#born > MAX_AGE_MS) this.renew();
    return new Promise((resolve) => {
      const fail = (error) => resolve({ status: 0, body: String(error?.message ?? error) });
      const call = request(url, { agent: this.#agent, timeout: 5000 }, (response) => {
        const parts = [];
        response.on("data", (part) => parts.push(part));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString() }));
        response.on("error", fail);
      });
      call.on("error", fail);
      call.on("timeout", () => call.destroy(new Error("no answer within 5 s")));
      call.end();
    });
  }
}

function newAgent() {
  return new Agent({ keepAlive: true, timeout: IDLE_MS, maxSockets: 64 });
}
