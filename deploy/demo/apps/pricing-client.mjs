// The storefront's side of the gRPC service.
import { connect } from "node:http2";
import { CONTENT_TYPE, METHOD, decodePrice, encodeRequest, frame, unframe } from "./grpc.mjs";

const MAX_AGE_MS = 2000;

export class PricingClient {
  #url;
  #session;
  #born = 0;

  /** @param {string} url for example `http://pricing:50051` */
  constructor(url) {
    this.#url = url;
  }

  renew() {
    this.#session?.close(); // Lets calls under way end.
    this.#session = undefined;
  }

  /** @param {string} item @returns {Promise<number>} cents */
  price(item) {
    return new Promise((resolve, reject) => {
      const session = this.#connected();
      session.once("error", reject);
      const stream = session.request({
        ":method": "POST",
        ":path": METHOD,
        "content-type": CONTENT_TYPE,
        te: "trailers",
      });
      const parts = [];
      let status;
      const note = (headers) => (status = headers["grpc-status"] ?? status);
      stream.on("response", note);
      stream.on("trailers", note);
      stream.on("data", (part) => parts.push(part));
      stream.on("error", reject);
      stream.on("close", () => {
        session.off("error", reject);
        if (status !== "0") return reject(new Error(`grpc-status ${status ?? "missing"}`));
        resolve(decodePrice(unframe(Buffer.concat(parts))));
      });
      stream.setTimeout(5000, () => stream.close());
      stream.end(frame(encodeRequest(item)));
    });
  }

  #connected() {
    if (Date.now() - this.#born > MAX_AGE_MS || this.#session?.closed || this.#session?.destroyed) this.renew();
    if (this.#session === undefined) {
      this.#session = connect(this.#url);
      this.#session.setMaxListeners(0); // One listener for each call under way.
      this.#session.on("error", () => this.renew());
      this.#born = Date.now();
    }
    return this.#session;
  }
}
