// send(OPTIONS, BODY): one request, by the options of node:http, and what came of it: status (0 where no answer came), code
// (why), body, headers.
import { request } from "node:http";

export function send(options, body) {
  return new Promise((resolve) => {
    const failed = ({ code }) => resolve({ status: 0, code, body: "", headers: {} });
    const sent = request(options, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () =>
        resolve({ status: response.statusCode, body: Buffer.concat(parts).toString(), headers: response.headers }),
      );
      response.on("error", failed);
    });
    sent.on("timeout", () => sent.destroy(Object.assign(new Error("no answer"), { code: "ETIMEDOUT" })));
    sent.on("error", failed);
    sent.end(body);
  });
}
